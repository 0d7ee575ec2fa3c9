/** A gate's answer. Only `pass` and `waived` open it. */
export type Verdict = "pass" | "fail" | "inconclusive" | "waived";
