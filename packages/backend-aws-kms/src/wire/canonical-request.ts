export interface RequestToSign {
  readonly method: string;
  /** Path of the URL as it is sent, starting with `/`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  /** The headers to sign. Names in lower case; `host` and `x-amz-date` are among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body, in hex. */
  readonly bodyHash: string;
}

export interface CanonicalRequest {
  readonly text: string;
  /** Names of the signed headers, sorted and joined by `;`. */
  readonly signedHeaders: string;
}

/**
 * The canonical request of Signature Version 4, for every service but S3.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequest({ method, path, query, headers, bodyHash }: RequestToSign): CanonicalRequest {
  const names = Object.keys(headers).sort();
  let lines = "";
  for (const name of names) lines += `${name}:${headers[name]?.replace(/[\r\n\t ]+/g, " ").replace(/^ | $/g, "")}\n`;
  const signedHeaders = names.join(";");
  const text = `${method}\n${canonicalPath(path)}\n${canonicalQuery(query)}\n${lines}\n${signedHeaders}\n${bodyHash}`;
  return { text, signedHeaders };
}

/** Without empty and dot segments, and encoded once more than it is sent. */
function canonicalPath(path: string): string {
  if (path === "/") return path;
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(encoded(segment));
  }
  const end = segments.length > 0 && path.endsWith("/") ? "/" : "";
  return `/${segments.join("/")}${end}`;
}

function canonicalQuery(query: RequestToSign["query"] = {}): string {
  const parameters: [name: string, value: string][] = [];
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === "string" ? [value] : value) parameters.push([encoded(name), encoded(one)]);
  }
  const order = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  parameters.sort(([a, x], [b, y]) => order(a, b) || order(x, y));
  return parameters.map(([name, value]) => `${name}=${value}`).join("&");
}

/** RFC 3986 §2.3: everything is encoded but letters, digits, `-`, `.`, `_` and `~`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
