import { newSession } from "../iam/credentials.js";
import type { Directory, RoleRecord, SessionRecord } from "../iam/directory.js";
import { evaluateResourcePolicy } from "../iam/evaluate.js";
import type { RandomSource } from "../random.js";

/** Hands out one session of a role at a time, and a new one when less than a quarter of an hour is left. */
export class ServiceSession {
  readonly #directory: Directory;
  readonly #random: RandomSource;
  readonly #current = new Map<string, SessionRecord>();

  constructor(directory: Directory, random: RandomSource) {
    this.#directory = directory;
    this.#random = random;
  }

  get(role: RoleRecord, sessionName: string, now: number): SessionRecord {
    const id = `${role.arn}/${sessionName}`;
    const held = this.#current.get(id);
    if (held !== undefined && held.expiresAt - now > 900_000) return held;
    const session = newSession(this.#random, now, {
      roleName: role.name,
      sessionName,
      seconds: role.maxSessionSeconds,
    });
    this.#directory.accessKeys.set(session.accessKeyId, session);
    this.#current.set(id, session);
    return session;
  }
}

/** Whether a role may be assumed by an AWS service such as `ec2.amazonaws.com`. */
export function trustsService(role: RoleRecord, services: readonly string[]): boolean {
  const request = { action: "sts:AssumeRole", resource: role.arn, context: () => new Map<string, readonly string[]>() };
  const { effect } = evaluateResourcePolicy(role.trust, "trust", request, ({ principal }) => {
    const named = principal === "*" || principal?.get("Service")?.some((name) => services.includes(name)) === true;
    return named ? "direct" : undefined;
  });
  return effect === "Allow";
}
