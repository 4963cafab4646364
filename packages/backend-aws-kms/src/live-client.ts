import { KMSClient } from "@aws-sdk/client-kms";
import { type AwsCredentials, CredentialStore } from "./credentials.js";
import { type AwsKmsOptions, requireOptions } from "./options.js";
import { UndiciRequestHandler } from "./request-handler.js";

/** The client of a live check, and what it learns besides the answers. */
export interface LiveClient extends Disposable {
  readonly client: KMSClient;
  credentials(): Promise<AwsCredentials>;
  /** How far the clock of KMS is ahead of this one at the first answer, in milliseconds; undefined before it. */
  skewMs(): number | undefined;
}

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
    connections: 8,
  });
  let skewMs: number | undefined;
  const requestHandler: Pick<UndiciRequestHandler, "handle" | "metadata"> = {
    metadata: transport.metadata,
    async handle(request, handlerOptions) {
      const sentAt = Date.now();
      const answer = await transport.handle(request, handlerOptions);
      const date = Date.parse(answer.response.headers.date ?? "");
      if (!Number.isNaN(date)) skewMs ??= date - (sentAt + Date.now()) / 2;
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
    credentials: resolve,
    skewMs: () => skewMs,
    [Symbol.dispose]: () => {
      client.destroy();
      transport.close();
    },
  };
}
