import type { WireRequest } from "../http/wire.js";

/** RFC 3986 unreserved characters stay, everything else is `%XX` with upper-case digits. */
function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function canonicalPath(path: string): string {
  if (path === "/" || path === "") return "/";
  return path.split("/").map(uriEncode).join("/");
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  const decode = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return query
    .split("&")
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals < 0 ? pair : pair.slice(0, equals);
      return `${uriEncode(decode(name))}=${equals < 0 ? "" : uriEncode(decode(pair.slice(equals + 1)))}`;
    })
    .sort()
    .join("&");
}

/**
 * The canonical request of AWS Signature Version 4, from what was received: exactly the headers listed as signed,
 * trimmed, runs of spaces collapsed, and the hash of the body as it arrived.
 */
export function canonicalRequest(request: WireRequest, signedHeaders: readonly string[], bodyHash: string): string {
  let headers = "";
  for (const name of signedHeaders) {
    headers += `${name}:${(request.headers.get(name) ?? "").trim().replace(/ {2,}/g, " ")}\n`;
  }
  return `${request.method}\n${canonicalPath(request.path)}\n${canonicalQuery(request.query)}\n${headers}\n${signedHeaders.join(";")}\n${bodyHash}`;
}
