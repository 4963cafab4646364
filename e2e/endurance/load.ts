import { createPublicKey, type KeyObject, verify } from "node:crypto";
import {
  AeadAlgorithm,
  AeadService,
  DecryptRequestSchema,
  decodeStatusDetails,
  EncryptRequestSchema,
  GetPublicKeyRequestSchema,
  grpcMethods,
  SigningService,
  SignRequestSchema,
  STATUS_DETAILS_KEY,
  VerifyRequestSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { AEAD_KEY, countName, FORBIDDEN_KEY, laneKey } from "./endurance-stack.ts";

const signing = grpcMethods(SigningService);
const aead = grpcMethods(AeadService);
/** SPKI DER before a point of P-256 (RFC 5480). */
const P256_SPKI = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");

interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/**
 * Calls of all kinds, each answer checked outside of the broker, and every reply counted by what its audit line must say.
 * A failure is right only as `BACKEND_UNAVAILABLE`, which {@link unavailable} counts, or as one the connection had.
 */
export class Load implements Disposable {
  readonly #client: Client;
  readonly #mayBeLimited: boolean;
  readonly #publicKeys = new Map<number, KeyObject>();
  /** Replies by `op target result`, as the audit log names them. */
  readonly replies = new Map<string, number>();
  /** Answers that were wrong, at most 20 of them. */
  readonly wrong: string[] = [];
  wrongCount = 0;
  answered = 0;
  unavailable = 0;
  /** Answers `LIMIT_EXCEEDED`. Right only where somebody of the same subject asks for too much. */
  limited = 0;
  /** Calls that ended without a reply of the broker: what became of them is not known. */
  lost = 0;
  #serial = 0;

  constructor(socket: string, { mayBeLimited = false }: { readonly mayBeLimited?: boolean } = {}) {
    this.#mayBeLimited = mayBeLimited;
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      "grpc.default_authority": "localhost",
      "grpc.use_local_subchannel_pool": 1,
      // A broker that was killed is looked for again at once.
      "grpc.initial_reconnect_backoff_ms": 20,
      "grpc.max_reconnect_backoff_ms": 50,
      "grpc.enable_retries": 0,
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  /** Fetches the lane's public key; before its first round. */
  async prepare(lane: number): Promise<void> {
    const request = create(GetPublicKeyRequestSchema, { keyId: laneKey(lane) });
    const answer = await this.#call("get_public_key", laneKey(lane), signing.getPublicKey, request);
    if (answer === undefined) throw new Error(`no public key of lane ${lane}: ${this.wrong.join("; ")}`);
    const key = Buffer.concat([P256_SPKI, answer.publicKey]);
    this.#publicKeys.set(lane, createPublicKey({ key, format: "der", type: "spki" }));
  }

  /** One signature. */
  async sign(lane: number): Promise<Uint8Array | undefined> {
    const keyId = laneKey(lane);
    const message = this.#message();
    const answer = await this.#call("sign", keyId, signing.sign, create(SignRequestSchema, { keyId, message }));
    if (answer === undefined) return undefined;
    const key = { key: this.#publicKeys.get(lane)!, dsaEncoding: "ieee-p1363" } as const;
    if (!verify("sha256", message, key, answer.signature)) this.#note(`sign ${keyId}: the signature is wrong`);
    return answer.signature;
  }

  /** A refusal for a key that does not exist, by a name nobody asked for before. */
  async askUnknown(lane: number): Promise<void> {
    this.#serial += 1;
    await this.#refused(`lane.unknown_${process.pid}_${lane}_${this.#serial}`);
  }

  /** One call of a mix: signatures mostly, verification, encryption there and back, refusals. */
  async mixed(lane: number): Promise<void> {
    const kind = Math.random();
    if (kind < 0.5) await this.sign(lane);
    else if (kind < 0.7) await this.#verify(lane);
    else if (kind < 0.9) await this.#encrypt(lane);
    else await this.#refused(FORBIDDEN_KEY);
  }

  async #verify(lane: number): Promise<void> {
    const keyId = laneKey(lane);
    const message = this.#message();
    const signed = await this.#call("sign", keyId, signing.sign, create(SignRequestSchema, { keyId, message }));
    if (signed === undefined) return;
    const truth = Math.random() < 0.5;
    const request = { keyId, message: truth ? message : this.#message(), signature: signed.signature };
    const answer = await this.#call("verify", keyId, signing.verify, create(VerifyRequestSchema, request));
    if (answer !== undefined && answer.valid !== truth) this.#note(`verify ${keyId}: ${answer.valid}, not ${truth}`);
  }

  async #encrypt(lane: number): Promise<void> {
    const plaintext = this.#message();
    const aad = Uint8Array.of(lane);
    const request = { keyId: AEAD_KEY, algorithm: AeadAlgorithm.AES_256_GCM, plaintext, aad };
    const sealed = await this.#call("encrypt", AEAD_KEY, aead.encrypt, create(EncryptRequestSchema, request));
    if (sealed?.envelope === undefined) return;
    const open = create(DecryptRequestSchema, { keyId: AEAD_KEY, envelope: sealed.envelope, aad });
    const opened = await this.#call("decrypt", AEAD_KEY, aead.decrypt, open);
    if (opened !== undefined && Buffer.compare(opened.plaintext, plaintext) !== 0) this.#note("decrypt: other bytes");
  }

  async #refused(keyId: string): Promise<void> {
    const request = create(SignRequestSchema, { keyId });
    if ((await this.#call("sign", keyId, signing.sign, request, "UNAUTHORIZED")) !== undefined) {
      this.#note(`sign ${keyId}: answered`);
    }
  }

  #message(): Uint8Array {
    this.#serial += 1;
    return new TextEncoder().encode(`message ${this.#serial} of ${process.pid}`);
  }

  #note(text: string): void {
    this.wrongCount += 1;
    if (this.wrong.length < 20) this.wrong.push(text);
  }

  #call<Request, Response>(
    op: string,
    target: string,
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request,
    expected?: string,
  ): Promise<Response | undefined> {
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + 30_000 };
      const settle = (error: ServiceError | null, answer?: Response) => {
        const result = error === null ? "ok" : reasonOf(error);
        if (result === undefined) {
          this.lost += 1;
          if (error?.code !== status.UNAVAILABLE) this.#note(`${op} ${target}: ${error?.message}`);
          return resolve(undefined);
        }
        const name = countName(op, target, result);
        this.replies.set(name, (this.replies.get(name) ?? 0) + 1);
        this.answered += 1;
        if (result === "BACKEND_UNAVAILABLE") this.unavailable += 1;
        else if (result === "LIMIT_EXCEEDED" && this.#mayBeLimited) this.limited += 1;
        else if (result !== "ok" && result !== expected) this.#note(`${op} ${target}: ${result}`);
        resolve(answer);
      };
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        settle,
      );
    });
  }
}

/** The broker's own word for a failure; undefined for one of the connection. */
function reasonOf({ metadata }: ServiceError): string | undefined {
  const [details] = metadata.get(STATUS_DETAILS_KEY);
  return details instanceof Uint8Array ? decodeStatusDetails(details)?.reason : undefined;
}
