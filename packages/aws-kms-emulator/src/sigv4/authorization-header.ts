import { Refusal } from "../refusal.js";

/** The parts of an `Authorization: AWS4-HMAC-SHA256 …` header. */
export interface AuthorizationHeader {
  readonly accessKeyId: string;
  /** `yyyymmdd` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
  /** Lower-case, in the order given. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hex digits. */
  readonly signature: string;
}

export const algorithm = "AWS4-HMAC-SHA256";

/** Reads the header; what is missing or malformed is an `IncompleteSignatureException` that names it. */
export function parseAuthorizationHeader(header: string): AuthorizationHeader {
  const space = header.indexOf(" ");
  const scheme = space < 0 ? header : header.slice(0, space);
  if (scheme !== algorithm) {
    throw new Refusal("IncompleteSignatureException", `Unsupported AWS 'algorithm': '${scheme}'.`);
  }
  const parts = new Map<string, string>();
  for (const part of header.slice(space + 1).split(",")) {
    const equals = part.indexOf("=");
    if (equals < 0)
      throw new Refusal(
        "IncompleteSignatureException",
        `'${part.trim()}' not a valid key=value pair (missing equal-sign) in Authorization header.`,
      );
    parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const missing = ["Credential", "Signature", "SignedHeaders"].filter((name) => !parts.get(name));
  if (missing.length > 0) {
    throw new Refusal(
      "IncompleteSignatureException",
      missing.map((name) => `Authorization header requires '${name}' parameter.`).join(" "),
    );
  }
  const credential = (parts.get("Credential") ?? "").split("/");
  const terminator = credential.pop();
  const service = credential.pop();
  const region = credential.pop();
  const date = credential.pop();
  const accessKeyId = credential.join("/");
  if (terminator === undefined || service === undefined || region === undefined || date === undefined || !accessKeyId) {
    throw new Refusal(
      "IncompleteSignatureException",
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
    );
  }
  return {
    accessKeyId,
    date,
    region,
    service,
    terminator,
    signedHeaders: (parts.get("SignedHeaders") ?? "").split(";").map((name) => name.toLowerCase()),
    signature: parts.get("Signature") ?? "",
  };
}
