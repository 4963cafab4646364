const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Reads a `grpc-timeout`: one to eight digits and a unit (gRPC over HTTP/2, "Timeout").
 *
 * @returns Milliseconds, rounded up, or undefined for another text.
 */
export function parseTimeout(text: string): number | undefined {
  const unit = UNIT_MS[text.at(-1) ?? ""];
  const digits = text.slice(0, -1);
  if (unit === undefined || !/^[0-9]{1,8}$/.test(digits)) return undefined;
  return Math.ceil(Number(digits) * unit);
}
