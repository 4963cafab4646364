/** An IAM policy document, in the member order AWS's own examples have. */
export interface IamDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly IamStatement[];
}

export interface IamStatement {
  readonly Sid?: string;
  readonly Effect: "Allow";
  readonly Principal?: Readonly<Record<string, string>>;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export function iamDocument(...statements: readonly IamStatement[]): IamDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/** One value alone, several as a list: both are IAM, and this is how people write it. */
export function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values;
}
