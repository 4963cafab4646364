import type { WireRequest, WireResponse } from "./wire.js";

/** The request an AWS SDK for JavaScript hands to its `requestHandler`, as far as it is used here. */
export interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** Fits the `requestHandler` option of any AWS SDK for JavaScript v3 client. */
export interface SdkRequestHandler {
  readonly metadata: { readonly handlerProtocol: string };
  handle(request: SdkRequest, options?: { readonly abortSignal?: unknown }): Promise<{ response: SdkResponse }>;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
  destroy(): void;
}

function queryText(query: SdkRequest["query"]): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of typeof value === "string" || value === null ? [value] : value) {
      pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(one ?? "")}`);
    }
  }
  return pairs.join("&");
}

function bodyBytes(body: unknown): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array(0);
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  throw new TypeError("the request body must be a string or bytes: streams need a socket");
}

function aborted(): Error {
  return Object.assign(new Error("Request aborted"), { name: "AbortError" });
}

/** Rejects when the signal fires, whatever kind of AbortSignal the SDK passes. */
function untilAborted<T>(work: Promise<T>, signal: unknown): Promise<T> {
  if (!(signal instanceof AbortSignal)) return work;
  if (signal.aborted) return Promise.reject(aborted());
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted());
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** What a client sees of an answer that did not arrive whole. */
function delivered(answer: WireResponse): WireResponse | Promise<WireResponse> {
  if (answer.mishap === undefined) return answer;
  if (answer.mishap.kind === "hang") return new Promise(() => {});
  throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
}

/** Reaches the emulator with no socket at all. */
export function sdkRequestHandler(handle: (request: WireRequest) => Promise<WireResponse>): SdkRequestHandler {
  return {
    metadata: { handlerProtocol: "http/1.1" },
    async handle(request, options) {
      const headers = new Map(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]));
      const work = handle({
        method: request.method,
        path: request.path,
        query: queryText(request.query),
        headers,
        body: bodyBytes(request.body),
        remoteAddress: "127.0.0.1",
      });
      const answer = await untilAborted(work.then(delivered), options?.abortSignal);
      return { response: { statusCode: answer.status, headers: { ...answer.headers }, body: answer.body } };
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {},
  };
}
