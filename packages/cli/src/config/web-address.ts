import { BlockList, isIP, isIPv4 } from "node:net";

/** Where clouds tell a machine's credentials: link-local addresses, and what Alibaba and Google have besides. */
const METADATA_HOSTS: readonly string[] = ["metadata.google.internal", "metadata.google.internal."];
const metadataAddresses = new BlockList();
metadataAddresses.addSubnet("169.254.0.0", 16, "ipv4");
metadataAddresses.addSubnet("fe80::", 10, "ipv6");
metadataAddresses.addAddress("100.100.100.200", "ipv4");

/** `127.0.0.1:8201` or `[::1]:8201`: an address, not a name, and a port. */
export function isSocketAddress(text: string): boolean {
  const [, six, four, port] = /^(?:\[([^\]]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text) ?? [];
  return isIP(six ?? "") + isIP(four ?? "") > 0 && !(six !== undefined && isIPv4(six)) && Number(port) <= 65_535;
}

/** An http or https URL that may be asked or named: no user, no fragment, and no cloud's metadata service. */
export function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return false;
  if (url.username !== "" || url.password !== "" || url.hash !== "") return false;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(host);
  if (family === 0) return !METADATA_HOSTS.includes(host);
  return !metadataAddresses.check(host, family === 4 ? "ipv4" : "ipv6");
}
