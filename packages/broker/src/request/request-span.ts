import { type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

const SCOPE = "@basil/broker";

/** A span for one request, where the host has set tracing up; it costs next to nothing where it has not. */
export function startRequestSpan(op: string, requestId: string): Span {
  const attributes = { "basil.op": op, "basil.request_id": requestId };
  return trace.getTracer(SCOPE).startSpan(`basil ${op}`, { kind: SpanKind.SERVER, attributes });
}

export interface SpanFacts {
  /** `OK`, or the code the caller saw. */
  readonly code: string;
  readonly target: string | undefined;
  readonly backend: string | undefined;
}

/** A refusal is an answer; only what is the broker's or a backend's fault is an error. */
export function endRequestSpan(span: Span, { code, target, backend }: SpanFacts): void {
  span.setAttribute("basil.code", code);
  if (target !== undefined) span.setAttribute("basil.target", target.slice(0, 256));
  if (backend !== undefined) span.setAttribute("basil.backend", backend);
  if (FAULTS.has(code)) span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span.end();
}

const FAULTS: ReadonlySet<string> = new Set(["BACKEND_UNAVAILABLE", "BACKEND_ERROR", "INTERNAL", "DEADLINE_EXCEEDED"]);
