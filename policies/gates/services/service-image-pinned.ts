import { defineGate, fail } from "../../gate.ts";
import { isText, shown } from "../../values.ts";

/** A digest names one image for ever; a tag may name another one tomorrow. */
export const serviceImagePinned = defineGate({
  id: "service-image-pinned",
  about: "resource",
  noun: "services",
  requires: "Every container runs an image that is given by its digest.",
  because: "A tag that moved would put something else live than what was tested.",
  severity: "critical",
  required: "an image that ends in @sha256: and 64 hex digits",
  remedy:
    "pin images.<service> in examples/<system>/releases/<version>.yaml, " +
    "and the legacy system's in cutover:legacy.image",
  // The image itself stays untold: its name may carry a registry's credentials.
  judge: ({ props }) => {
    const { image } = props;
    if (!isText(image)) return [fail(`image is ${shown(image)}`)];
    return /.@sha256:[0-9a-f]{64}$/.test(image) ? [] : [fail("image has no digest")];
  },
});
