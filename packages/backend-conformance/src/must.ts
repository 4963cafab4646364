import { AssertionError } from "node:assert";
import { type AnyBackendError, BACKEND_ERROR_CODES, type BackendErrorCode, isBackendError } from "@basil/core";

/** Fails the case with `message`, which says what the backend did and what the contract demands. @internal */
export function must(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError({ message, stackStartFn: must });
}

/** The error of a call that must be refused, and with one of these codes. @internal */
export async function mustRefuse(
  what: string,
  call: Promise<unknown>,
  ...codes: readonly BackendErrorCode[]
): Promise<AnyBackendError> {
  const allowed = codes.join(" or ");
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    must(isBackendError(error), `${what}: must be refused by a BackendError with ${allowed}, threw ${nameOf(error)}`);
    must(BACKEND_ERROR_CODES.includes(error.code), `${what}: ${error.code} is not a code of the contract`);
    must(
      codes.includes(error.code),
      `${what}: must be refused with ${allowed}, was with ${error.code}: ${error.message}`,
    );
    return error;
  }
  throw new AssertionError({
    message: `${what}: must be refused with ${allowed}, was answered with ${shapeOf(answer)}`,
  });
}

/** The answer of a call that must be answered. @internal */
export async function mustAnswer<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const message = `${what}: must be answered, threw ${nameOf(cause)}`;
    throw Object.assign(new AssertionError({ message, stackStartFn: mustAnswer }), { cause });
  }
}

/** @internal */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function nameOf(error: unknown): string {
  if (isBackendError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
}

/** The members of an answer, not their values: those may be secret. */
function shapeOf(answer: unknown): string {
  return typeof answer === "object" && answer !== null ? `{ ${Object.keys(answer).join(", ")} }` : String(answer);
}
