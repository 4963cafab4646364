import {
  AeadService,
  grpcMethods,
  UnsealCoseRequestSchema,
  UnwrapEnvelopeRequestSchema,
  WrapEnvelopeRequestSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { oneOf } from "./one-of.js";
import {
  ENVELOPE_CIPHER_NUMBERS,
  type EnvelopeCipher,
  KEM_NUMBERS,
  type KemEnvelope,
  type KemName,
  kemEnvelope,
} from "./sealed-envelope.js";
import type { CallOptions, Transport } from "./transport.js";

const aead = grpcMethods(AeadService);

/**
 * The methods for envelopes sealed to a public key, which only the broker's private one opens. Each may end in a
 * {@link ClientError} as the methods of {@link Client} do; the others are named at the method.
 */
export class EnvelopeClient {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Seals to a key encapsulation key. `aad` absent and `aad` empty are the same here.
   *
   * @throws {@link ClientError} also `INVALID_REQUEST`, `PAYLOAD_TOO_LARGE`, `UNSUPPORTED`, `UNSUPPORTED_ALGORITHM`.
   */
  async wrap(
    keyId: string,
    plaintext: Uint8Array,
    options: CallOptions & { readonly kem: KemName; readonly algorithm?: EnvelopeCipher; readonly aad?: Uint8Array },
  ): Promise<KemEnvelope> {
    const { kem, algorithm = "aes-256-gcm", aad } = options;
    const request = create(WrapEnvelopeRequestSchema, {
      keyId,
      kemAlgorithm: oneOf(KEM_NUMBERS, "kem", kem),
      envelopeAlgorithm: oneOf(ENVELOPE_CIPHER_NUMBERS, "algorithm", algorithm),
      plaintext,
      ...(aad === undefined ? {} : { aad }),
    });
    return kemEnvelope((await this.#transport.unary(aead.wrapEnvelope, request, options)).envelope);
  }

  /** @throws {@link ClientError} also `DECRYPT_FAILED`, `INVALID_REQUEST`, `UNSUPPORTED`. */
  async unwrap(
    keyId: string,
    envelope: KemEnvelope,
    options: CallOptions & { readonly aad?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    const { kem, algorithm, ...rest } = envelope;
    const request = create(UnwrapEnvelopeRequestSchema, {
      keyId,
      envelope: {
        ...rest,
        kemAlgorithm: oneOf(KEM_NUMBERS, "envelope.kem", kem),
        envelopeAlgorithm: oneOf(ENVELOPE_CIPHER_NUMBERS, "envelope.algorithm", algorithm),
      },
      ...(options.aad === undefined ? {} : { aad: options.aad }),
    });
    return (await this.#transport.unary(aead.unwrapEnvelope, request, options)).plaintext;
  }

  /** Opens a tagged COSE_Encrypt (RFC 9052) addressed to an X25519 key. Fails as `unwrap`. */
  async unsealCose(
    keyId: string,
    coseEncrypt: Uint8Array,
    options: CallOptions & { readonly externalAad?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    const { externalAad } = options;
    const request = create(UnsealCoseRequestSchema, {
      keyId,
      coseEncrypt,
      ...(externalAad === undefined ? {} : { externalAad }),
    });
    return (await this.#transport.unary(aead.unsealCose, request, options)).plaintext;
  }
}
