import type { CallRecord } from "./call-record.js";

const colours = { green: 32, red: 31, yellow: 33, dim: 2 } as const;

function paint(text: string, colour: keyof typeof colours, wanted: boolean): string {
  return wanted ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text;
}

/** The last part of an ARN, which people know things by. */
function short(arn: string): string {
  return arn.startsWith("arn:") ? arn.split(":").slice(5).join(":") : arn;
}

/** Control characters of a request must not reach a terminal. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}

/** One call as one line for people. */
export function callLine(call: CallRecord, colour: boolean): string {
  const outcome = call.status === 0 ? "no answer" : (call.errorCode ?? String(call.status));
  const decision =
    call.decision === "deny"
      ? paint("deny ", "red", colour)
      : call.decision === "allow"
        ? paint("allow", "green", colour)
        : "-    ";
  const good = call.errorCode === undefined && call.status !== 0;
  const parts = [
    paint(call.time.slice(11, 23), "dim", colour),
    call.service.padEnd(4),
    plain(call.operation).padEnd(20),
    decision,
    paint(outcome, good ? "green" : "red", colour),
    plain(short(call.principal ?? "-")),
    plain(short(call.keyId ?? call.resource ?? "")),
  ];
  if (call.fault !== undefined) parts.push(paint(`fault: ${call.fault}`, "yellow", colour));
  if (call.unknownConditionKeys.length > 0)
    parts.push(paint(`unknown condition keys: ${plain(call.unknownConditionKeys.join(", "))}`, "yellow", colour));
  if (call.decision === "deny")
    parts.push(`${call.action}: ${call.checks.find((check) => check.decision === "deny")?.reason ?? ""}`);
  return parts.join("  ").trimEnd();
}
