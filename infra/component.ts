import * as pulumi from "@pulumi/pulumi";

/** What a step of the sequence gives to everything that it declares. */
export interface StepOptions {
  /** What must be finished before. */
  readonly dependsOn: pulumi.Resource[];
  /** The hooks that refuse a change behind a guard that was not passed in this run. */
  readonly hooks: pulumi.ResourceHookBinding;
}

/** A component whose children wait for the step before them and carry its hooks. */
export abstract class Component extends pulumi.ComponentResource {
  /** Options for a child; `parent`, `dependsOn` and `hooks` are set. */
  protected readonly child: pulumi.CustomResourceOptions;

  constructor(type: string, name: string, step: StepOptions) {
    super(`cutover:${type}`, name, {}, { dependsOn: step.dependsOn });
    this.child = { parent: this, dependsOn: step.dependsOn, hooks: step.hooks };
  }

  /** Options for a child that also needs its siblings finished. */
  protected after(...siblings: pulumi.Resource[]): pulumi.CustomResourceOptions {
    const before = this.child.dependsOn as pulumi.Resource[];
    return { ...this.child, dependsOn: [...before, ...siblings] };
  }
}
