import { liftOnError } from "../lift-on-error.ts";
import { WriteFreeze } from "../resources.ts";
import { freezeArgs, type Declare } from "../run.ts";

/** Freezes the writes of the database; whatever fails behind it opens them again. */
export const freeze: Declare = (run, step) => {
  const args = freezeArgs(run, "frozen");
  if (args === undefined) return [];
  run.freeze = new WriteFreeze("freeze", args, step);
  if (run.plan.moves && run.plan.direction === "forward") {
    run.hooks = { ...run.hooks, onError: [liftOnError(args.connection, args.stack, args.release)] };
  }
  return [run.freeze];
};

/** Opens writes again. */
export const lift: Declare = (run, step) => {
  const args = freezeArgs(run, "open");
  if (args === undefined) return [];
  const lifted = new WriteFreeze("lift", args, step);
  const { onError: _done, ...sealed } = run.hooks;
  run.hooks = sealed;
  return [lifted];
};
