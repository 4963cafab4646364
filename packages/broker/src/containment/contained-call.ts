import { asBackendError, type Backend, type CallContext } from "@basil/core";
import { Answer } from "./answer.js";

/**
 * One call into a backend. Whatever it does (throws before it returns, rejects with nonsense, answers with something
 * else) becomes a `BackendError`. How long an answer is waited for is the caller's to say.
 *
 * @param subject - The key or path, for messages.
 */
export async function containedCall<T>(
  backend: Backend,
  operation: string,
  subject: string,
  context: CallContext,
  work: (context: CallContext) => unknown,
  read: (answer: Answer) => T,
): Promise<T> {
  try {
    const value: unknown = await work(Object.freeze({ ...context }));
    return read(new Answer(`backend "${backend.id}", ${operation} of ${subject}:`, value));
  } catch (error) {
    throw asBackendError(error);
  }
}
