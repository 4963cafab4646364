import { KMSClient } from "@aws-sdk/client-kms";
import { type AwsCredentials, CredentialStore } from "./credentials.js";
import { type AwsKmsOptions, requireOptions } from "./options.js";
import { UndiciRequestHandler } from "./request-handler.js";

/** The client of a live check, and what it learns besides the answers. */
export interface LiveClient extends Disposable {
  readonly client: KMSClient;
  readonly transport: UndiciRequestHandler;
  credentials(): Promise<AwsCredentials>;
  /** How far the clock of KMS is ahead of this one at the first answer, in milliseconds; undefined before it. */
  skewMs(): number | undefined;
  /** Where KMS is asked, as scheme, host and port, once the first request leaves; undefined when none will. */
  readonly origin: Promise<string | undefined>;
  /** No more requests come. */
  finish(): void;
}

/** Requests that are under way at the same time. */
export const LIVE_CONNECTIONS = 8;

/** @throws TypeError for an option that is out of range. */
export function openLiveClient(options: AwsKmsOptions): LiveClient {
  requireOptions(options);
  const { credentials, region, profile, endpoint, fips, dualStack, ...source } = options;
  const store = new CredentialStore({
    ...source,
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(credentials && { credentials: typeof credentials === "function" ? credentials : async () => credentials }),
  });
  const transport = new UndiciRequestHandler({
    connectTimeoutMs: options.connectTimeoutMs ?? 2000,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 5000,
    connections: LIVE_CONNECTIONS,
  });
  let skewMs: number | undefined;
  const { promise: origin, resolve: tellOrigin } = Promise.withResolvers<string | undefined>();
  const requestHandler: Pick<UndiciRequestHandler, "handle" | "metadata"> = {
    metadata: transport.metadata,
    async handle(request, handlerOptions) {
      const { protocol, hostname, port } = request;
      tellOrigin(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`);
      const sentAt = Date.now();
      const answer = await transport.handle(request, handlerOptions);
      const date = Date.parse(answer.response.headers.date ?? "");
      // The header is cut to whole seconds: it is half of one behind on average.
      if (!Number.isNaN(date)) skewMs ??= date + 500 - (sentAt + Date.now()) / 2;
      return answer;
    },
  };
  const resolve = () => store.resolve();
  const client = new KMSClient({
    requestHandler,
    credentials: Object.assign(resolve, { memoized: true }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(endpoint !== undefined && { endpoint }),
    ...(fips !== undefined && { useFipsEndpoint: fips }),
    ...(dualStack !== undefined && { useDualstackEndpoint: dualStack }),
    maxAttempts: options.maxAttempts ?? 3,
  });
  return {
    client,
    transport,
    credentials: resolve,
    skewMs: () => skewMs,
    origin,
    finish: () => tellOrigin(undefined),
    [Symbol.dispose]: () => {
      client.destroy();
      transport.close();
    },
  };
}
