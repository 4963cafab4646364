import { DescribeKeyCommand, KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import { dispatchTarget, type SdkRequest } from "../request-handler.js";

/** What every request to one KMS has in common. */
export interface RequestTemplate {
  /** Scheme, host and port. */
  readonly origin: string;
  /** As it is sent, query included. */
  readonly pathAndQuery: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** To be signed: `host`, and `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent and not signed: the SDK's `user-agent`, and headers that an endpoint asks for. */
  readonly unsignedHeaders: Readonly<Record<string, string>>;
  readonly region: string;
  readonly service: string;
}

/**
 * Has the SDK build and sign one request, which is not sent, and keeps what does not change: so the endpoint (of the region,
 * FIPS, dual stack, custom, from the environment or the shared files) and the scope of signatures are the SDK's own.
 *
 * @throws what the SDK throws, for example when no region is configured.
 */
export async function requestTemplate(config: KMSClientConfig): Promise<RequestTemplate> {
  let built: SdkRequest | undefined;
  const capture = {
    metadata: { handlerProtocol: "http/1.1" },
    handle: (request: SdkRequest) => {
      built = request;
      return Promise.reject(new Captured());
    },
  };
  const credentials = { accessKeyId: "unused", secretAccessKey: "unused" };
  const client = new KMSClient({ ...config, credentials, maxAttempts: 1, requestHandler: capture });
  try {
    await client.send(new DescribeKeyCommand({ KeyId: "alias/unused" }));
  } catch (error) {
    if (!(error instanceof Captured)) throw error;
  } finally {
    client.destroy();
  }
  if (built === undefined) throw new Error("the AWS SDK built no request");
  return templateOf(built);
}

class Captured extends Error {}

/** Of the request as the SDK signed it. */
function templateOf(built: SdkRequest): RequestTemplate {
  const [, region = "", service = ""] =
    /Credential=[^/]*\/[^/]*\/([^/]*)\/([^/]*)\/aws4_request/.exec(built.headers.authorization ?? "") ?? [];
  const { host = "", "content-type": contentType = "", ...others } = built.headers;
  const unsignedHeaders: Record<string, string> = {};
  for (const [name, value] of Object.entries(others)) if (!OF_ONE_REQUEST.test(name)) unsignedHeaders[name] = value;
  const query: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(built.query ?? {})) query[name] = value ?? "";
  const { origin, path: pathAndQuery } = dispatchTarget(built);
  return {
    origin,
    pathAndQuery,
    path: built.path,
    query,
    headers: { "content-type": contentType, host },
    unsignedHeaders,
    region,
    service,
  };
}

const OF_ONE_REQUEST =
  /^(?:authorization|content-length|x-amz-(?:content-sha256|date|security-token|target)|amz-sdk-.*)$/;
