import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetPublicKeyCommand,
  KMSClient,
  type KMSClientConfig,
  ListKeysCommand,
  SignCommand,
  UpdateAliasCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import type { KmsAction, KmsAnswer, KmsCalls, KmsInput, KmsOutput } from "./client.js";
import { type AwsCredentials, type CredentialSource, CredentialStore } from "./credentials.js";
import { UndiciRequestHandler } from "./request-handler.js";

export interface SdkClientOptions extends CredentialSource {
  readonly endpoint?: string;
  readonly useFipsEndpoint?: boolean;
  readonly useDualstackEndpoint?: boolean;
  readonly maxAttempts?: number;
  readonly connectTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly connections: number;
}

interface Metadata {
  readonly $metadata: { readonly requestId?: string | undefined; readonly attempts?: number | undefined };
}
type Send<A extends KmsAction> = (
  client: KMSClient,
  input: KmsInput<A>,
  signal: AbortSignal,
) => Promise<KmsOutput<A> & Metadata>;

const SEND: { readonly [A in KmsAction]: Send<A> } = {
  Sign: (client, input, abortSignal) => client.send(new SignCommand(input), { abortSignal }),
  Verify: (client, input, abortSignal) => client.send(new VerifyCommand(input), { abortSignal }),
  GetPublicKey: (client, input, abortSignal) => client.send(new GetPublicKeyCommand(input), { abortSignal }),
  DescribeKey: (client, input, abortSignal) => client.send(new DescribeKeyCommand(input), { abortSignal }),
  Encrypt: (client, input, abortSignal) => client.send(new EncryptCommand(input), { abortSignal }),
  Decrypt: (client, input, abortSignal) => client.send(new DecryptCommand(input), { abortSignal }),
  CreateKey: (client, input, abortSignal) => client.send(new CreateKeyCommand(input), { abortSignal }),
  CreateAlias: (client, input, abortSignal) => client.send(new CreateAliasCommand(input), { abortSignal }),
  UpdateAlias: (client, input, abortSignal) => client.send(new UpdateAliasCommand(input), { abortSignal }),
  ListKeys: (client, input, abortSignal) => client.send(new ListKeysCommand(input), { abortSignal }),
};

const REFUSED_CREDENTIALS = new Set(["UnrecognizedClientException", "ExpiredTokenException", "ExpiredToken"]);

/** {@link KmsCalls} over the AWS SDK: credentials, SigV4, retries and the JSON 1.1 protocol are the SDK's. */
export class SdkClient implements KmsCalls {
  readonly #handler: UndiciRequestHandler;
  readonly #credentials: CredentialStore;
  readonly #retrying: KMSClient;
  readonly #once: KMSClient;

  constructor(options: SdkClientOptions) {
    this.#handler = new UndiciRequestHandler(options);
    this.#credentials = new CredentialStore(options);
    const resolve = () => this.#credentials.resolve();
    const config: KMSClientConfig = {
      requestHandler: this.#handler,
      // The store caches by itself, so that it can forget; `memoized` keeps the SDK from doing it again.
      credentials: Object.assign(resolve, { memoized: true }),
      // `adaptive` slows every key of the client to a call a second after two throttles.
      retryMode: "standard",
      ...(options.region !== undefined && { region: options.region }),
      ...(options.profile !== undefined && { profile: options.profile }),
      ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
      ...(options.useFipsEndpoint !== undefined && { useFipsEndpoint: options.useFipsEndpoint }),
      ...(options.useDualstackEndpoint !== undefined && { useDualstackEndpoint: options.useDualstackEndpoint }),
    };
    this.#retrying = new KMSClient({
      ...config,
      ...(options.maxAttempts !== undefined && { maxAttempts: options.maxAttempts }),
    });
    this.#once = new KMSClient({ ...config, maxAttempts: 1 });
  }

  async call<A extends KmsAction>(action: A, input: KmsInput<A>, signal: AbortSignal): Promise<KmsAnswer<A>> {
    const used = this.#credentials.current;
    try {
      return await this.#send(action, input, signal);
    } catch (failure) {
      if (!areCredentialsRefused(failure) || !this.#credentials.renew(used)) throw failure;
      // KMS authenticates before it acts, so this is safe for CreateKey too.
      return this.#send(action, input, signal);
    }
  }

  close(): void {
    this.#retrying.destroy();
    this.#once.destroy();
    this.#handler.close();
  }

  async #send<A extends KmsAction>(action: A, input: KmsInput<A>, signal: AbortSignal): Promise<KmsAnswer<A>> {
    const client = action === "CreateKey" ? this.#once : this.#retrying;
    const { $metadata, ...output } = await SEND[action](client, input, signal);
    return {
      output: output as unknown as KmsOutput<A>,
      attempts: $metadata.attempts ?? 1,
      ...($metadata.requestId !== undefined && { requestId: $metadata.requestId }),
    };
  }
}

function areCredentialsRefused(failure: unknown): boolean {
  return failure instanceof Error && REFUSED_CREDENTIALS.has(failure.name);
}

export type { AwsCredentials };
