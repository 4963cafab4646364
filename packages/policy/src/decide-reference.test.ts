import { type Catalog, parseCatalog } from "@basil/catalog";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, decideAdmin } from "./decide.js";
import { ADMIN_OPERATIONS, OPERATIONS, type Operation } from "./operations.js";
import { parsePolicy } from "./parse-policy.js";
import type { Policy } from "./policy.js";

/** How many times longer than usual; the script `test:long` sets it. */
const LENGTH = Number(process.env.BASIL_TEST_LENGTH ?? 1);

interface CatalogDocument {
  keys: Record<string, { class: string; keyType?: string; writable: boolean; labels: string[] }>;
}
interface PolicyDocument {
  subjects: Record<string, unknown>;
  roles: Record<string, readonly string[]>;
  rules: readonly {
    id: string;
    subjects: readonly string[];
    action: readonly string[];
    target: readonly string[];
  }[];
}

const IN_STAR =
  "get list get_public_key verify sign encrypt decrypt mint sign_nats_jwt validate_nats_jwt encrypt_nats_curve decrypt_nats_curve validate set rotate import new_key".split(
    " ",
  );

/** The decision as the format states it (§2.5 to §2.11), on the documents themselves, sharing no code with the product. */
function reference(policy: PolicyDocument, catalog: CatalogDocument, subject: string, op: string, key: string): string {
  const entry = catalog.keys[key];
  if (!key.startsWith("broker.")) {
    if (!entry) return "deny unknown_key";
    if (["set", "rotate", "import", "new_key"].includes(op) && !entry.writable) return "deny not_writable";
    if (op === "sign") {
      const first = (name: string) =>
        entry.labels.find((label) => label.split("=")[0] === name && label.includes("="))?.split("=")[1];
      const role = first("nats_type");
      if (["jwt", "x509"].includes(first("svid_kind") ?? "")) return "deny issuer_raw_sign";
      if (role === "O" || role === "A" || (role === undefined && entry.keyType === "ed25519-nkey"))
        return "deny issuer_raw_sign";
    }
  }
  for (const rule of policy.rules) {
    if (!rule.subjects.includes(subject)) continue;
    for (const glob of rule.target) {
      const pattern = ["*", "**"].includes(glob)
        ? /^/
        : new RegExp(
            `^${glob
              .replaceAll(".", "\\.")
              .replace("**", ".+")
              .replace(/(?<=\\\.)\*$/, "[^.]+")}$`,
          );
      if (!pattern.test(key)) continue;
      for (const term of rule.action) {
        const [kind, name] = term.split(":") as [string, string];
        const ops = kind === "*" ? IN_STAR : kind === "op" ? [name] : policy.roles[name]!;
        if (ops.includes(op)) return `allow ${rule.id} ${term} ${glob}`;
      }
    }
  }
  if (
    entry?.class === "public" &&
    ["get", "get_public_key"].includes(op) &&
    subject in policy.subjects &&
    !key.startsWith("broker.")
  ) {
    return "allow public_class";
  }
  return "deny not_permitted";
}

function actual(policy: Policy, catalog: Catalog, subject: string, op: Operation, key: string): string {
  const admin = ADMIN_OPERATIONS.find((operation) => operation === op);
  const decision =
    admin !== undefined && key === `broker.${op}`
      ? decideAdmin(policy, subject, admin)
      : decide(policy, catalog, subject, op, key);
  if (!decision.allowed) return `deny ${decision.reason}`;
  const { matched, via } = decision;
  expect(via).toBe(matched === null ? "public_class" : `subject:${subject}`);
  return matched === null ? "allow public_class" : `allow ${matched.rule} ${matched.action} ${matched.target}`;
}

const SUBJECTS = ["s1", "s2", "root"];
const segment = fc.constantFrom("a", "b", "c");
const keyName = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("."));
const key = fc
  .record({
    kind: fc.constantFrom(
      { class: "asymmetric", keyType: "ecdsa-p256" },
      { class: "asymmetric", keyType: "ed25519-nkey" },
      { class: "symmetric", keyType: "aes-256-gcm" },
      { class: "value" },
      { class: "public" },
    ),
    writable: fc.boolean(),
    labels: fc
      .subarray(["svid_kind=jwt", "svid_kind=x509", "svid_kind=z", "nats_type=O", "team=x"])
      .chain((labels) => fc.constantFrom(labels, [], ["nats_type=U"], ["nats_type=A"])),
  })
  .map(({ kind, writable, labels }) => {
    // The loader refuses JWT-SVID issuers of other key types.
    const mayIssueJwt = kind.keyType === undefined || kind.keyType === "ecdsa-p256";
    const kept = labels.filter((label) => mayIssueJwt || label !== "svid_kind=jwt");
    return { ...kind, writable, labels: kept, backend: "m", description: "d" };
  });
const catalogDocument = fc.dictionary(keyName, key, { minKeys: 1, maxKeys: 8 }).map((keys) => ({
  schemaVersion: 1,
  backends: { m: { kind: "vault", addr: "" } },
  keys: Object.fromEntries(Object.entries(keys).map(([name, entry]) => [name, { ...entry, path: name }])),
}));
const operation = fc.constantFrom(...OPERATIONS);
const target = fc.oneof(
  keyName,
  fc.constantFrom("broker.*", "broker.reload", "broker.**", "A.b"),
  fc.tuple(keyName, fc.constantFrom(".*", ".**")).map(([prefix, wildcard]) => prefix + wildcard),
);
const action = fc.oneof(
  operation.map((op) => `op:${op}`),
  fc.constantFrom("*", "role:r1", "role:r2"),
);
const rule = fc.record({
  subjects: fc.subarray(SUBJECTS, { minLength: 1 }),
  action: fc.array(action, { maxLength: 3 }),
  target: fc.array(target, { maxLength: 3 }),
});
const rootRule = fc.record({
  subjects: fc.constant(["root"]),
  action: fc.array(action, { minLength: 1, maxLength: 2 }),
  target: fc.constantFrom(["*"], ["**"], ["a", "*"]),
});
const policyDocument = fc
  .record({
    roles: fc.record({ r1: fc.array(operation, { maxLength: 4 }), r2: fc.array(operation, { maxLength: 4 }) }),
    rules: fc.array(fc.oneof({ weight: 5, arbitrary: rule }, { weight: 1, arbitrary: rootRule }), { maxLength: 8 }),
  })
  .map(({ roles, rules }) => ({
    subjects: Object.fromEntries(
      SUBJECTS.map((name, uid) => [name, { breakGlass: name === "root", allOf: [{ kind: "unix", uid }] }]),
    ),
    roles,
    rules: rules.map((one, index) => ({ id: `r${index}`, ...one })),
  }));

describe("decide", () => {
  it("agrees with a slow reading of the documents, to the rule, action and target (§2.5 to §2.11)", () => {
    let tuples = 0;
    fc.assert(
      fc.property(
        policyDocument,
        catalogDocument,
        fc.array(fc.tuple(fc.constantFrom(...SUBJECTS, "stranger"), operation, keyName), {
          minLength: 80,
          maxLength: 80,
        }),
        (policyText, catalogText, questions) => {
          const policy = parsePolicy(JSON.stringify(policyText));
          const catalog = parseCatalog(JSON.stringify(catalogText));
          const known = Object.keys(catalogText.keys);
          const administration = ADMIN_OPERATIONS.flatMap((op) =>
            SUBJECTS.map((subject) => [subject, op, `broker.${op}`] as const),
          );
          const asked = questions.map(
            ([subject, op, name], index) =>
              [subject, op, index % 4 === 0 ? name : known[index % known.length]!] as const,
          );
          for (const [subject, op, name] of [...asked, ...administration]) {
            const question = `${subject} ${op} ${name}: `;
            expect(question + actual(policy, catalog, subject, op, name)).toBe(
              question + reference(policyText, catalogText, subject, op, name),
            );
            tuples++;
          }
        },
      ),
      { numRuns: 220 * LENGTH, endOnFailure: true },
    );
    expect(tuples).toBeGreaterThanOrEqual(20_000);
  });
});
