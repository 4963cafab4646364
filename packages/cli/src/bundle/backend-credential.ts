import { type BackendSpec, BundleError, type CredentialInput, trimNewline } from "@basil/bundle";
import type { BackendPlugin } from "@basil/core";
import { BackendKinds, isInstalled } from "../backend-kinds.js";
import { CREDENTIAL_TYPES, type CredentialType } from "./credential-types.js";
import { keyBytes } from "./key-bytes.js";
import type { SecretSource } from "./secret-source.js";

/** The end of a field that names a file. */
const FILE = "-file";

export interface BackendCredentialInput extends CredentialInput {
  /** What the operator should know about it. */
  readonly warning?: string;
}

/**
 * The credential a `--backend` spec describes: by the schema of its kind where the package is installed, as given
 * otherwise. A field `NAME-file` that the kind does not have is read from the private file it names, and becomes `NAME`.
 *
 * @param kinds - Asked only for a type that this program does not know by itself.
 * @throws {@link BundleError} `SPEC_SYNTAX` for an unknown type or field, `SPEC_INVALID` for one that is missing or cannot be,
 *   `SECRET_INVALID` and `KEY_INVALID` for what a file holds, and what reading files throws.
 */
export async function backendCredential(
  spec: BackendSpec,
  secrets: SecretSource,
  kinds: () => Promise<BackendKinds>,
): Promise<BackendCredentialInput> {
  const { id, type, fields } = spec;
  const forms = CREDENTIAL_TYPES.get(type);
  const known = forms === undefined ? await kinds() : new BackendKinds();
  const gap = known.gap(type);
  if (gap === undefined) return bySchema(spec, await known.load(type), secrets);
  if (forms === undefined) {
    const types = [...CREDENTIAL_TYPES.keys(), ...known.pluginKinds].join(", ");
    throw syntax(`type "${type}" is unknown; known are ${types}; name the package of another kind with --plugin`);
  }
  const form = chooseForm(type, forms, fields);
  return {
    id,
    kind: form.kind,
    credential: await readFields(form, fields, secrets),
    warning: `backend "${id}" is sealed as given: ${gap.package !== undefined && !isInstalled(gap.package) ? gap.detail : `nothing here can check or use type ${type}`}`,
  };
}

async function bySchema(
  { id, type, fields }: BackendSpec,
  { credentialSchema }: BackendPlugin,
  secrets: SecretSource,
): Promise<BackendCredentialInput> {
  const credential: Record<string, string> = Object.fromEntries(fields);
  /** By the field it becomes. */
  const files = new Map<string, string>();
  for (const key of unknownFields(credentialSchema, credential)) {
    const name = key.slice(0, -FILE.length);
    const path = credential[key];
    if (!key.endsWith(FILE) || path === undefined || fields.has(name)) throw syntax(`${type} takes no field "${key}"`);
    delete credential[key];
    credential[name] = path;
    files.set(name, path);
  }
  const [unknown] = unknownFields(credentialSchema, credential);
  if (unknown !== undefined) {
    throw syntax(`${type} takes no field "${files.has(unknown) ? `${unknown}${FILE}` : unknown}"`);
  }
  // Before a file is read, and before the bundle is opened: it is the command line that is wrong.
  const missing = missingFields(credentialSchema, credential);
  if (missing.length > 0) {
    throw lacking(missing[0] as string, `${type} needs ${missing.map((name) => `${name}=`).join(" and ")}`);
  }
  for (const [name, path] of files) credential[name] = await readSecret(`${name}${FILE}`, path, "text", secrets);
  return { id, kind: type, credential, schema: credentialSchema };
}

/** The fields that the schema wants at the top and the spec does not have. */
function missingFields(schema: BackendPlugin["credentialSchema"], credential: Record<string, string>): string[] {
  const issues = schema.safeParse(credential).error?.issues ?? [];
  const wanted = issues.flatMap(({ code, path: [name, ...rest] }) =>
    code === "invalid_type" && rest.length === 0 && name !== undefined ? [String(name)] : [],
  );
  return wanted.filter((name) => !Object.hasOwn(credential, name));
}

function unknownFields(schema: BackendPlugin["credentialSchema"], credential: Record<string, string>): string[] {
  const issues = schema.safeParse(credential).error?.issues ?? [];
  return issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
}

function chooseForm(
  type: string,
  forms: readonly CredentialType[],
  fields: ReadonlyMap<string, string>,
): CredentialType {
  for (const key of fields.keys()) {
    const allowed = forms.flatMap(({ required, optional }) => [...required, ...optional]);
    if (!allowed.includes(key))
      throw syntax(`${type} takes no field "${key}"; it takes ${[...new Set(allowed)].join(", ")}`);
  }
  const started = forms.filter(({ required }) => required.some((key) => fields.has(key)));
  const [form] = started.length === 0 ? forms : started;
  if (form === undefined || started.length > 1 || (forms.length > 1 && started.length === 0)) {
    const choices = forms.map(({ required }) => required.join(" + ")).join(" | ");
    throw lacking(type, `${type} needs exactly one of ${choices}`);
  }
  for (const key of form.required) if (!fields.has(key)) throw lacking(key, `${type} needs ${key}=`);
  for (const key of fields.keys()) {
    if (!form.required.includes(key) && !form.optional.includes(key))
      throw invalid(key, `${key} does not go with ${form.required.join(" + ")}`);
  }
  const addr = fields.get("addr");
  if (addr !== undefined && !/^https?:\/\//.test(URL.parse(addr)?.href ?? "")) {
    throw invalid("addr", `addr is "${addr}", not an http or https URL`);
  }
  return form;
}

async function readFields(
  form: CredentialType,
  fields: ReadonlyMap<string, string>,
  secrets: SecretSource,
): Promise<Record<string, string>> {
  const credential: [string, string][] = [];
  for (const [key, value] of fields) {
    const content = form.files[key];
    if (content === undefined) credential.push([key, value]);
    else credential.push([key.slice(0, -FILE.length), await readSecret(key, value, content, secrets)]);
  }
  return Object.fromEntries(credential);
}

async function readSecret(
  field: string,
  path: string,
  content: "text" | "key32",
  secrets: SecretSource,
): Promise<string> {
  const bytes = await secrets.readFile(path, { private: true });
  if (content === "key32") return Buffer.from(keyBytes("--backend", path, bytes)).toString("base64");
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(trimNewline(bytes)).trim();
    if (text === "") throw unusable(field, `${path} is empty`);
    return text;
  } catch (error) {
    if (error instanceof BundleError) throw error;
    throw unusable(field, `${path} is not UTF-8 text`);
  }
}

function syntax(problem: string): BundleError<"SPEC_SYNTAX"> {
  return new BundleError("SPEC_SYNTAX", `--backend: ${problem}`, { flag: "--backend" });
}

function invalid(field: string, problem: string): BundleError<"SPEC_INVALID"> {
  return new BundleError("SPEC_INVALID", `--backend: ${problem}`, { flag: "--backend", field });
}

function lacking(field: string, problem: string): BundleError<"SPEC_INVALID"> {
  return new BundleError("SPEC_INVALID", `--backend: ${problem}`, { flag: "--backend", field, missing: true });
}

/** What a file holds, not what the command line says. */
function unusable(field: string, problem: string): BundleError<"SECRET_INVALID"> {
  return new BundleError("SECRET_INVALID", `--backend: ${field}: ${problem}`, { kind: field });
}
