/** Every operation a policy can name, in the order in which they are shown to people. */
export const OPERATIONS = [
  "get",
  "list",
  "get_public_key",
  "verify",
  "sign",
  "encrypt",
  "decrypt",
  "mint",
  "sign_nats_jwt",
  "validate_nats_jwt",
  "encrypt_nats_curve",
  "decrypt_nats_curve",
  "validate",
  "set",
  "rotate",
  "import",
  "new_key",
  "use_software_custody",
  "reload",
  "explain",
  "revoke",
  "watch",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Operations on the broker itself; each is decided against its own reserved target. */
export const ADMIN_OPERATIONS = ["reload", "explain", "revoke", "watch"] as const;
export type AdminOperation = (typeof ADMIN_OPERATIONS)[number];

/** Operations that `writable: false` forbids. */
export const WRITE_OPERATIONS = ["set", "rotate", "import", "new_key"] as const satisfies readonly Operation[];

/** The 17 operations that the action `*` stands for: all but software custody and administration. */
export const STAR_OPERATIONS: readonly Operation[] = OPERATIONS.slice(0, 17);

/** The reserved target an admin operation is decided against; no key is ever looked up under it. */
export function adminTarget(operation: AdminOperation): `broker.${AdminOperation}` {
  return `broker.${operation}`;
}

/** Whether it is one of {@link OPERATIONS}, spelled as in a policy. */
export function isOperation(text: string): text is Operation {
  return (OPERATIONS as readonly string[]).includes(text);
}

/** Whether it is reload, explain, revoke or watch, each decided on a target of its own. */
export function isAdminOperation(operation: string): operation is AdminOperation {
  return (ADMIN_OPERATIONS as readonly string[]).includes(operation);
}
