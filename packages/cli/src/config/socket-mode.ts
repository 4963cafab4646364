import { z } from "zod";

const ALLOWED = 'octal digits as text up to "7777", such as "0660", or an integer up to 0o777';

/** `"0660"`, `"0o660"`, `"660"` or an integer in TOML's own notation (`0o660`). */
export const socketModeSchema = z
  .union([z.string(), z.bigint()], { error: `is not a file mode; allowed: ${ALLOWED}` })
  .transform((value, context): number => {
    const mode = typeof value === "string" ? octalText(value) : Number(value);
    if (mode === undefined || mode < 0) {
      context.addIssue({ code: "custom", message: `is ${JSON.stringify(String(value))}; allowed: ${ALLOWED}` });
      return z.NEVER;
    }
    // 660 without quotes is a decimal number, octal 1224: nobody means that.
    if (typeof value === "bigint" && mode > 0o777) {
      context.addIssue({
        code: "custom",
        message: `is the integer ${value}, which is octal ${mode.toString(8)}; write it as text, "0${value}", or as 0o${value}`,
      });
      return z.NEVER;
    }
    return mode;
  });

function octalText(text: string): number | undefined {
  const match = /^(?:0o)?([0-7]{1,5})$/.exec(text);
  const mode = Number.parseInt(match?.[1] ?? "", 8);
  return mode <= 0o7777 ? mode : undefined;
}
