import { isOperation, type Operation, STAR_OPERATIONS } from "./operations.js";

/** What one action term stands for, or why it stands for nothing. */
export type Action =
  | { readonly operations: readonly Operation[] }
  | { readonly problem: "unknown-role"; readonly role: string }
  | { readonly problem: "bad-term"; readonly suggestion?: string };

/** Reads `op:<operation>`, `role:<name>` or `*`. */
export function readAction(term: string, roles: ReadonlyMap<string, readonly Operation[]>): Action {
  if (term === "*") return { operations: STAR_OPERATIONS };
  if (term.startsWith("op:")) {
    const operation = term.slice(3);
    if (isOperation(operation)) return { operations: [operation] };
    return operation === "*" ? { problem: "bad-term", suggestion: "*" } : { problem: "bad-term" };
  }
  if (term.startsWith("role:")) {
    const role = term.slice(5);
    const operations = roles.get(role);
    return operations === undefined ? { problem: "unknown-role", role } : { operations };
  }
  if (isOperation(term)) return { problem: "bad-term", suggestion: `op:${term}` };
  if (roles.has(term)) return { problem: "bad-term", suggestion: `role:${term}` };
  return { problem: "bad-term" };
}
