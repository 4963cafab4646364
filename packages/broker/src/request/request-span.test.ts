import { BackendError } from "@basil/core";
import { type Span, SpanStatusCode, type Tracer, type TracerProvider, trace } from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";
import { ALICE } from "../../test/documents.js";
import { memoryBackend } from "../../test/memory-backend.js";
import { testBroker } from "../../test/test-broker.js";

interface Recorded {
  name: string;
  attributes: Record<string, unknown>;
  status?: unknown;
  ended: boolean;
}

/** A host's tracing, as far as spans are made of it. */
function recordingProvider(spans: Recorded[]): TracerProvider {
  const startSpan: Tracer["startSpan"] = (name, { attributes } = {}) => {
    const recorded: Recorded = { name, attributes: { ...attributes }, ended: false };
    spans.push(recorded);
    return {
      setAttribute(key: string, value: unknown) {
        recorded.attributes[key] = value;
      },
      setStatus(status: unknown) {
        recorded.status = status;
      },
      end() {
        recorded.ended = true;
      },
    } as unknown as Span;
  };
  return { getTracer: () => ({ startSpan }) as Tracer };
}

afterEach(() => trace.disable());

describe("a request", () => {
  it("is a span, once the host has set tracing up, that ends with what came of it", async () => {
    const spans: Recorded[] = [];
    trace.setGlobalTracerProvider(recordingProvider(spans));
    const backend = memoryBackend();
    const broker = await testBroker({ backends: [backend] });
    const alice = broker.as(ALICE);
    await alice.sign("app.p256", new Uint8Array());
    await alice.sign("other.p256", new Uint8Array()).catch(() => undefined);
    backend.before = () => {
      throw new BackendError("UNAVAILABLE", "down", {});
    };
    await alice.sign("app.p256", new Uint8Array()).catch(() => undefined);
    await broker.close();
    expect(spans).toMatchObject([
      {
        name: "basil sign",
        ended: true,
        attributes: { "basil.code": "OK", "basil.target": "app.p256", "basil.backend": "aws-kms" },
      },
      { name: "basil sign", ended: true, attributes: { "basil.code": "UNAUTHORIZED" } },
      { ended: true, status: { code: SpanStatusCode.ERROR, message: "BACKEND_UNAVAILABLE" } },
    ]);
    expect(spans[1]?.status).toBeUndefined();
  });
});
