import { Agent, type Dispatcher } from "undici";

/** What the AWS SDK hands to a request handler; https://github.com/smithy-lang/smithy-typescript, `HttpRequest`. */
export interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface SdkResponse {
  readonly statusCode: number;
  readonly reason?: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

export interface UndiciRequestHandlerOptions {
  /** Milliseconds to a connection, name lookup and TLS included. */
  readonly connectTimeoutMs: number;
  /** Milliseconds one attempt may take, from the wait for a connection to the last byte of the answer. */
  readonly attemptTimeoutMs: number;
  /** Connections to one origin. */
  readonly connections: number;
}

/** No answer of KMS or STS comes near this; more is not an answer. */
const MAX_RESPONSE_BYTES = 1024 * 1024;

/**
 * The AWS SDK's transport on an undici pool of its own. Errors have the names and codes that the SDK retries by:
 * a connection that broke is ECONNRESET, a time limit is a TimeoutError, a caller that left is an AbortError.
 * Every error tells by `requestSent` whether a byte of the request may have left.
 */
export class UndiciRequestHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #agent: Agent;
  readonly #attemptTimeoutMs: number;

  constructor(options: UndiciRequestHandlerOptions) {
    this.#attemptTimeoutMs = options.attemptTimeoutMs;
    this.#agent = new Agent({
      connections: options.connections,
      pipelining: 1,
      // As `metadata` says, and with the errors of HTTP/1.1, which are the ones translated below.
      allowH2: false,
      connect: { timeout: options.connectTimeoutMs },
      // Each attempt has one time limit over all of it, kept below.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_RESPONSE_BYTES,
    });
  }

  async handle(request: SdkRequest, options: { abortSignal?: unknown } = {}): Promise<{ response: SdkResponse }> {
    const signal = options.abortSignal instanceof AbortSignal ? options.abortSignal : undefined;
    return { response: await this.attempt(() => dispatchOptions(request), signal) };
  }

  /**
   * One attempt. Its time limit also covers `prepare`, which makes the request and may have to wait for credentials.
   *
   * @param withinMs - Milliseconds that are left, if they are fewer than the limit of an attempt.
   */
  attempt(
    prepare: () => Dispatcher.DispatchOptions | Promise<Dispatcher.DispatchOptions>,
    signal: AbortSignal | undefined,
    withinMs = Number.POSITIVE_INFINITY,
  ): Promise<SdkResponse> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal, false));
      const limitMs = Math.min(this.#attemptTimeoutMs, withinMs);
      const exchange = new Exchange(resolve, reject, (settle) => {
        const limit = setTimeout(() => settle(timeoutError(limitMs)), limitMs);
        const onAbort = () => settle(abortError(signal, true));
        signal?.addEventListener("abort", onAbort, { once: true });
        return () => {
          clearTimeout(limit);
          signal?.removeEventListener("abort", onAbort);
        };
      });
      this.#dispatch(prepare, exchange).catch((error: unknown) => {
        exchange.fail(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  async #dispatch(
    prepare: () => Dispatcher.DispatchOptions | Promise<Dispatcher.DispatchOptions>,
    exchange: Exchange,
  ): Promise<void> {
    const request = await prepare();
    if (!exchange.settled) this.#agent.dispatch(request, exchange);
  }

  /** The SDK calls this when a client that shares the handler is destroyed; the owner closes the pool by `close`. */
  destroy(): void {}

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<never, never> {
    return {};
  }

  /** Drops every connection; what is in flight fails. */
  close(): void {
    this.#agent.destroy().catch(() => {});
  }
}

/** One request and its answer, collected whole, so that an answer cut short fails here and is retried. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (response: SdkResponse) => void;
  readonly #reject: (error: Error) => void;
  readonly #release: () => void;
  readonly #chunks: Uint8Array[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #settled: Error | true | undefined;
  #head: { statusCode: number; reason: string | undefined; headers: Record<string, string> } | undefined;

  constructor(
    resolve: (response: SdkResponse) => void,
    reject: (error: Error) => void,
    watch: (settle: (error: Error) => void) => () => void,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#release = watch((error) => this.fail(error));
  }

  get settled(): boolean {
    return this.#settled !== undefined;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it waited for a connection: it is dropped before a byte of it leaves.
    if (this.#settled instanceof Error) controller.abort(this.#settled);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
    statusMessage?: string,
  ): void {
    const flat: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
    }
    this.#head = { statusCode, reason: statusMessage, headers: flat };
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#settled !== undefined || this.#head === undefined) return;
    this.#settled = true;
    this.#release();
    const { reason, ...head } = this.#head;
    this.#resolve({ ...head, ...(reason !== undefined && { reason }), body: concat(this.#chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(translate(error));
  }

  /** Ends the exchange with this error, unless it has ended. */
  fail(error: Error): void {
    if (this.#settled !== undefined) return;
    this.#settled = Object.assign(error, { requestSent: this.#controller !== undefined });
    this.#release();
    this.#controller?.abort(error);
    this.#reject(error);
  }
}

function dispatchOptions(request: SdkRequest): Dispatcher.DispatchOptions {
  const { method, headers, body } = request;
  return {
    ...dispatchTarget(request),
    method,
    headers: { ...headers },
    body: typeof body === "string" || body instanceof Uint8Array ? body : null,
  };
}

/** Where a request goes, as undici has it. */
export function dispatchTarget(request: SdkRequest): { readonly origin: string; readonly path: string } {
  const { protocol, hostname, port } = request;
  const host = hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
  return {
    origin: `${protocol}//${host}${port === undefined ? "" : `:${port}`}`,
    path: request.path + queryString(request.query),
  };
}

function queryString(query: SdkRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value ?? ""]) parameters.append(name, one);
  }
  const text = parameters.toString().replaceAll("+", "%20");
  return text === "" ? "" : `?${text}`;
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  if (first && chunks.length === 1) return new Uint8Array(first);
  return new Uint8Array(Buffer.concat(chunks));
}

/** The SDK retries by Node's codes and by the name TimeoutError, and knows none of undici's. */
function translate(error: Error & { code?: unknown }): Error {
  switch (error.code) {
    case "UND_ERR_CONNECT_TIMEOUT":
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return Object.assign(new Error(error.message, { cause: error }), { name: "TimeoutError" });
    case "UND_ERR_SOCKET":
    case "UND_ERR_CLOSED":
    case "UND_ERR_DESTROYED":
    case "UND_ERR_RES_CONTENT_LENGTH_MISMATCH":
      return Object.assign(new Error(error.message, { cause: error }), { code: "ECONNRESET" });
    case "UND_ERR_RES_EXCEEDED_MAX_SIZE":
      return Object.assign(new SyntaxError(error.message), { cause: error });
    default:
      // What came back is not whole HTTP. The error carries the bytes, which may be a plaintext, so it is not kept.
      if (error.name === "HTTPParserError") return Object.assign(new Error(error.message), { code: "ECONNRESET" });
      return error;
  }
}

function timeoutError(milliseconds: number): Error {
  return Object.assign(new Error(`no answer within ${Math.ceil(milliseconds)} ms`), { name: "TimeoutError" });
}

function abortError(signal: AbortSignal | undefined, started: boolean): Error {
  const error = new Error("the request was aborted", { cause: signal?.reason });
  return Object.assign(error, { name: "AbortError", ...(!started && { requestSent: false }) });
}
