export const TEN_MEGABYTES = 10 * 1024 * 1024;

/** Members or elements joined by commas, ten megabytes of them unless told. */
export function many(make: (index: number) => string, bytes = TEN_MEGABYTES): string {
  const parts: string[] = [];
  for (let size = 0, i = 0; size < bytes; i++) {
    const part = make(i);
    size += part.length + 1;
    parts.push(part);
  }
  return parts.join(",");
}
