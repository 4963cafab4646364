import type { Place } from "../place.js";
import type { Directory } from "./directory.js";
import { malformed, type PolicyDocument, type PrincipalElement } from "./policy-document.js";

const IAM_ARN = /^arn:([\w-]+):iam::(\d{12}):(?:root|(user|role)\/[\w+=,.@/-]+)$/;
const STS_ARN = /^arn:([\w-]+):sts::(\d{12}):(?:assumed-role\/([\w+=,.@-]+)\/[\w+=,.@-]+|federated-user\/[\w+=,.@-]+)$/;
const ACCOUNT = /^\d{12}$/;
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$/;
const PROVIDER = /^(?:arn:[\w-]+:iam::\d{12}:(?:oidc|saml)-provider\/[\w.:/-]+|[a-z0-9-]+(?:\.[a-z0-9-]+)+)$/;

/**
 * Whether an ARN has the form of a user, a role, a role session, a federated user or an account root of this partition.
 * Wildcards are not allowed (IAM User Guide, "AWS JSON policy elements: Principal").
 */
export function isPrincipalArn(arn: string, place: Place): boolean {
  const partition = (IAM_ARN.exec(arn) ?? STS_ARN.exec(arn))?.[1];
  return partition === place.partition;
}

/** False for a user, a role or a session of a role that this account does not have; other accounts cannot be looked into. */
export function principalExists(arn: string, place: Place, directory: Directory): boolean {
  const [, , iamAccount, kind] = IAM_ARN.exec(arn) ?? [];
  const [, , stsAccount, role] = STS_ARN.exec(arn) ?? [];
  if ((iamAccount ?? stsAccount) !== place.account) return true;
  const known = kind === "user" ? directory.users : kind === "role" ? directory.roles : undefined;
  if (known !== undefined) return [...known.values()].some((identity) => identity.arn === arn);
  return role === undefined || directory.roles.get(role)?.account === place.account;
}

/** A name in a `Principal` or `NotPrincipal` element that is none. */
export interface InvalidPrincipal {
  /** Place in the document, e.g. `Statement[0].Principal.AWS`. */
  readonly path: string;
  /** e.g. `AWS` */
  readonly kind: string;
  readonly name: string;
}

/**
 * The first invalid principal of a key policy or trust policy.
 *
 * @param directory - Where users and roles are looked up; without it only the form is checked.
 */
export function invalidPrincipal(
  { statements }: PolicyDocument,
  place: Place,
  directory?: Directory,
): InvalidPrincipal | undefined {
  const isValid = (kind: string, name: string): boolean => {
    if (kind === "Service") return SERVICE.test(name);
    if (kind === "Federated") return PROVIDER.test(name);
    if (name === "*" || ACCOUNT.test(name)) return true;
    return isPrincipalArn(name, place) && (directory === undefined || principalExists(name, place, directory));
  };
  for (const [i, statement] of statements.entries()) {
    for (const [element, principal] of [
      ["Principal", statement.principal],
      ["NotPrincipal", statement.notPrincipal],
    ] as const) {
      for (const [kind, name] of namesOf(principal)) {
        if (!isValid(kind, name)) return { path: `Statement[${i}].${element}.${kind}`, kind, name };
      }
    }
  }
  return undefined;
}

/**
 * Checks the form of every principal of a key policy or trust policy. Users and roles need not exist yet.
 *
 * @throws {@link EmulatorError} `POLICY_MALFORMED`
 */
export function checkPrincipals(document: PolicyDocument, place: Place): PolicyDocument {
  const invalid = invalidPrincipal(document, place);
  if (invalid === undefined) return document;
  const { path, name } = invalid;
  throw malformed(
    path,
    `must hold principals such as arn:${place.partition}:iam::${place.account}:role/name, found ${JSON.stringify(name.slice(0, 80))}`,
  );
}

function namesOf(principal: PrincipalElement | undefined): (readonly [kind: string, name: string])[] {
  if (principal === undefined || principal === "*") return [];
  return [...principal].flatMap(([kind, names]) => names.map((name) => [kind, name] as const));
}
