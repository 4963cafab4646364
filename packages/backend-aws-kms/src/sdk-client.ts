import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetPublicKeyCommand,
  KMSClient,
  type KMSClientConfig,
  ListAliasesCommand,
  ListKeysCommand,
  SignCommand,
  UpdateAliasCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import { within } from "@basil/core";
import type { KmsAction, KmsAnswer, KmsCalls, KmsInput, KmsOutput } from "./client.js";
import { type CredentialSource, CredentialStore } from "./credentials.js";
import { LONGEST_TIMER_MS } from "./options.js";
import { UndiciRequestHandler } from "./request-handler.js";
import { BudgetedRetryStrategy, RetryBudget, type RetryLimits } from "./retry-strategy.js";
import { isLeanAction } from "./wire/json-bodies.js";
import { LeanWire } from "./wire/lean-wire.js";

export interface SdkClientOptions extends CredentialSource {
  readonly endpoint?: string;
  readonly useFipsEndpoint?: boolean;
  readonly useDualstackEndpoint?: boolean;
  /** Requests one operation may take after a transient fault. */
  readonly maxAttempts: number;
  readonly connectTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly connections: number;
  /** Who sends the calls of `LeanAction`: this package (the default), or the SDK as all other calls. */
  readonly wire?: "lean" | "sdk";
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
  ListAliases: (client, input, abortSignal) => client.send(new ListAliasesCommand(input), { abortSignal }),
  ListKeys: (client, input, abortSignal) => client.send(new ListKeysCommand(input), { abortSignal }),
};

const REFUSED_CREDENTIALS = new Set(["UnrecognizedClientException", "ExpiredTokenException", "ExpiredToken"]);

/**
 * {@link KmsCalls} over the AWS SDK: credentials, endpoints and retries are the SDK's. So are Signature Version 4 and the
 * JSON 1.1 protocol, but for the calls that the lean wire makes.
 */
export class SdkClient implements KmsCalls {
  readonly #handler: UndiciRequestHandler;
  readonly #credentials: CredentialStore;
  readonly #operating: KMSClient;
  readonly #managing: KMSClient;
  readonly #creating: KMSClient;
  readonly #lean: { readonly operating: LeanWire; readonly describing: LeanWire } | undefined;

  constructor(options: SdkClientOptions) {
    this.#handler = new UndiciRequestHandler(options);
    this.#credentials = new CredentialStore(options);
    const resolve = () => this.#credentials.resolve();
    const config: KMSClientConfig = {
      requestHandler: this.#handler,
      // The store caches by itself, so that it can forget; `memoized` keeps the SDK from doing it again.
      credentials: Object.assign(resolve, { memoized: true }),
      ...(options.region !== undefined && { region: options.region }),
      ...(options.profile !== undefined && { profile: options.profile }),
      ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
      ...(options.useFipsEndpoint !== undefined && { useFipsEndpoint: options.useFipsEndpoint }),
      ...(options.useDualstackEndpoint !== undefined && { useDualstackEndpoint: options.useDualstackEndpoint }),
    };
    const budget = new RetryBudget();
    const client = (limits: RetryLimits) =>
      new KMSClient({
        ...config,
        maxAttempts: limits.throttlingAttempts,
        retryStrategy: new BudgetedRetryStrategy(limits, budget),
      });
    const transientAttempts = options.maxAttempts;
    const patient = Math.max(transientAttempts, MANAGEMENT_THROTTLING_ATTEMPTS);
    this.#operating = client({ transientAttempts, throttlingAttempts: transientAttempts });
    this.#managing = client({ transientAttempts, throttlingAttempts: patient });
    this.#creating = client({ transientAttempts, throttlingAttempts: patient, onlyIfNotActed: true });
    if (options.wire !== "sdk") {
      const lean = ({ config: resolved }: KMSClient) => new LeanWire(resolved, config, this.#handler);
      this.#lean = { operating: lean(this.#operating), describing: lean(this.#managing) };
    }
  }

  async call<A extends KmsAction>(
    action: A,
    input: KmsInput<A>,
    signal: AbortSignal,
    endsAt: number = performance.now() + LONGEST_TIMER_MS,
  ): Promise<KmsAnswer<A>> {
    const used = this.#credentials.current;
    try {
      return await this.#send(action, input, signal, endsAt);
    } catch (failure) {
      if (!areCredentialsRefused(failure) || !this.#credentials.renew(used)) throw failure;
      // KMS authenticates before it acts, so this is safe for CreateKey too.
      return this.#send(action, input, signal, endsAt);
    }
  }

  close(): void {
    for (const client of [this.#operating, this.#managing, this.#creating]) client.destroy();
    this.#handler.close();
  }

  #send<A extends KmsAction>(
    action: A,
    input: KmsInput<A>,
    signal: AbortSignal,
    endsAt: number,
  ): Promise<KmsAnswer<A>> {
    if (this.#lean !== undefined && isLeanAction(action)) {
      const wire = action === "DescribeKey" ? this.#lean.describing : this.#lean.operating;
      return wire.call(action, input as never, signal, endsAt) as Promise<KmsAnswer<A>>;
    }
    return within(endsAt - performance.now(), signal, (limited) => this.#sendBySdk(action, input, limited));
  }

  async #sendBySdk<A extends KmsAction>(action: A, input: KmsInput<A>, signal: AbortSignal): Promise<KmsAnswer<A>> {
    const { $metadata, ...output } = await SEND[action](this.#clientFor(action), input, signal);
    return {
      output: output as unknown as KmsOutput<A>,
      attempts: $metadata.attempts ?? 1,
      ...($metadata.requestId !== undefined && { requestId: $metadata.requestId }),
    };
  }

  #clientFor(action: KmsAction): KMSClient {
    switch (action) {
      case "CreateKey":
        return this.#creating;
      case "DescribeKey":
      case "CreateAlias":
      case "UpdateAlias":
      case "ListAliases":
      case "ListKeys":
        return this.#managing;
      default:
        return this.#operating;
    }
  }
}

/**
 * DescribeKey and the calls that make keys come in bursts, one a catalog key, against the smallest quotas of KMS; nobody
 * waits for one of them but a start or an operator.
 */
const MANAGEMENT_THROTTLING_ATTEMPTS = 8;

function areCredentialsRefused(failure: unknown): boolean {
  return failure instanceof Error && REFUSED_CREDENTIALS.has(failure.name);
}
