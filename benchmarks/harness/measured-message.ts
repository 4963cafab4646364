/** What every Sign of a measurement signs. */
export const MEASURED_MESSAGE = new TextEncoder().encode(
  "a message of ordinary length, as a JWS signing input would be, more or less",
);
