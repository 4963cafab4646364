interface Manifest {
  readonly name: string;
  readonly version: string;
}

export interface ReleasePlan {
  /** `v` and the version. */
  readonly tag: string;
  /** Where the source is, as an https address. */
  readonly repository: string;
  /** Changesets that no version has taken up. */
  readonly pending: readonly string[];
  /** By folder under `packages`. */
  readonly manifests: ReadonlyMap<string, Manifest>;
}

/** What keeps a release from being packed, a line each. */
export function releaseProblems({ tag, repository, pending, manifests }: ReleasePlan): string[] {
  const problems = pending.map((file) => `.changeset/${file}: not in any version; run \`changeset version\` first`);
  if (!/^https:\/\/[^/\s]+\/[^/\s]+\/[^/\s]+$/.test(repository)) {
    problems.push(`--repository: found ${repository}, allowed https://HOST/OWNER/NAME`);
  }
  for (const { name, version } of manifests.values()) {
    if (`v${version}` !== tag) problems.push(`--tag: found ${tag}, but ${name} is at v${version}`);
  }
  return problems;
}

/** The manifest with the address of its source. Provenance is refused by npm when the two do not agree. */
export function withRepository<T extends Manifest>(manifest: T, repository: string, folder: string): T {
  const place = { type: "git", url: `git+${repository.replace(/\.git$/, "")}.git`, directory: `packages/${folder}` };
  return { ...manifest, repository: place };
}
