// The package has no types of its own. This is the part that is used here.
declare module "proper-lockfile" {
  type Options = {
    lockfilePath: string;
    stale: number;
    onCompromised: (error: Error) => void;
  };
  const lockfile: { lock(file: string, options: Options): Promise<() => Promise<void>> };
  export default lockfile;
}
