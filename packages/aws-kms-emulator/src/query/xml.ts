/** What an element holds: text, members by name, or a list whose items are `<member>`. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

function escapeText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write these characters
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "\ufffd").replace(/[&<>"'\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** One element; members without a value are left out. */
export function xmlElement(name: string, value: XmlValue, attributes = ""): string {
  if (value === undefined) return "";
  const open = `<${name}${attributes}>`;
  if (Array.isArray(value)) {
    return `${open}${value.map((item: XmlValue) => xmlElement("member", item)).join("")}</${name}>`;
  }
  if (typeof value === "object") {
    const members = Object.entries(value).map(([member, inner]) => xmlElement(member, inner));
    return `${open}${members.join("")}</${name}>`;
  }
  return `${open}${escapeText(String(value))}</${name}>`;
}
