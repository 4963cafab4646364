/** A rule whose subject is `me`, as it stands in the document. */
interface Rule {
  readonly id: string;
  readonly subjects: readonly ["me"];
  readonly action: readonly string[];
  readonly target: readonly string[];
}

/** A policy document with one subject, `me`: whoever runs these tests, by the user id that the kernel tells a broker. */
export const policyOfMe = (...rules: readonly Rule[]) => ({
  schemaVersion: 2,
  subjects: { me: { allOf: [{ kind: "unix", uid: process.geteuid?.() ?? 0 }] } },
  rules,
});
