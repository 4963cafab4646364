import type { Outcome, ScriptResult } from "./run-scripts.js";

/** The outcomes without what differs from run to run: ids, key material ids and the random lengths of DER signatures. */
export function comparable({ outcomes, saved }: ScriptResult): Outcome[] {
  let text = JSON.stringify(outcomes);
  for (const [name, value] of Object.entries(saved)) text = text.replaceAll(value, `$${name}`);
  text = text
    .replace(/"Signature":\{"bytes":\d+\}/g, '"Signature":"bytes"')
    .replace(/"((?:Current|Source|Destination)?KeyMaterialId)":"[0-9a-f]{64}"/g, '"$1":"hex"')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}/g, "key-id");
  return JSON.parse(text) as Outcome[];
}
