/** A statement of an identity policy; single values are lists of one. */
export interface PolicyStatement {
  /** Where it stands, for messages: `Statement[0] "Sid"`. */
  readonly place: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** `${…}` is a variable: only in documents of version 2012-10-17. */
  readonly variables?: boolean;
}
