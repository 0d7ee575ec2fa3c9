import {
  ChecklistError,
  readChecklist,
  type Checklist,
} from "../../policies/contract/checklist.ts";
import { OperatorError, problemText } from "../errors.ts";

/**
 * Reads the checklist of a system.
 *
 * @param folder the pack's own checklists by default
 * @throws OperatorError with everything that is wrong with it
 */
export function loadChecklist(system: string, folder?: string): Checklist {
  try {
    return readChecklist(system, folder);
  } catch (error) {
    if (!(error instanceof ChecklistError)) throw error;
    throw new OperatorError(
      problemText("The checklist cannot be used.", [
        {
          where: `policies/checklists/${system}.yaml`,
          found: error.message,
          required: "a checklist in the form of policies/contract/checklist.ts",
          todo: `correct policies/checklists/${system}.yaml`,
        },
      ]),
    );
  }
}
