import type * as pulumi from "@pulumi/pulumi";
import { Plan } from "@pulumi/aws/backup/plan.js";
import { Selection } from "@pulumi/aws/backup/selection.js";
import { Vault } from "@pulumi/aws/backup/vault.js";
import { VaultLockConfiguration } from "@pulumi/aws/backup/vaultLockConfiguration.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { Component, type StepOptions } from "../component.ts";
import type { BackupsConfig } from "./config.ts";

/** What backups are made from: the config's `backups` group, the key of the vault and what is backed up. */
export interface BackupsArgs {
  readonly settings: BackupsConfig;
  readonly kmsKeyArn: pulumi.Input<string>;
  /** ARNs of what is backed up. */
  readonly resources: pulumi.Input<string>[];
}

/**
 * A locked AWS Backup vault, a plan that fills it every day, and the role that does the work. With `copyTo` each
 * backup is copied to a vault elsewhere, whose own access policy must let this account in.
 */
export class Backups extends Component {
  constructor(name: string, args: BackupsArgs, step: StepOptions) {
    super("backups:Backups", name, step);
    const vault = this.#createVault(name, args);
    this.#lockVault(name, args, vault);
    const plan = this.#createPlan(name, args, vault);
    this.#selectResources(name, args, plan);
    this.registerOutputs({ vault: vault.name });
  }

  #createVault(name: string, { settings, kmsKeyArn }: BackupsArgs): Vault {
    return new Vault(
      `${name}-vault`,
      { name: settings.vault, kmsKeyArn },
      { ...this.child, protect: true },
    );
  }

  #lockVault(name: string, { settings }: BackupsArgs, vault: Vault): void {
    new VaultLockConfiguration(
      `${name}-vault-lock`,
      { backupVaultName: settings.vault, minRetentionDays: settings.lockMinRetentionDays },
      this.after(vault),
    );
  }

  #createPlan(name: string, { settings }: BackupsArgs, vault: Vault): Plan {
    return new Plan(
      `${name}-plan`,
      {
        name: settings.vault,
        rules: [
          {
            ruleName: "daily",
            targetVaultName: settings.vault,
            schedule: settings.schedule,
            lifecycle: { deleteAfter: settings.keepDays },
            ...(settings.copyTo === undefined
              ? {}
              : {
                  copyActions: [
                    {
                      destinationVaultArn: settings.copyTo.vaultArn,
                      lifecycle: { deleteAfter: settings.copyTo.keepDays },
                    },
                  ],
                }),
          },
        ],
      },
      this.after(vault),
    );
  }

  #selectResources(name: string, { settings, resources }: BackupsArgs, plan: Plan): void {
    const role = new Role(
      `${name}-role`,
      {
        name: `${settings.vault}-backup`,
        assumeRolePolicy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: "backup.amazonaws.com" },
              Action: "sts:AssumeRole",
            },
          ],
        }),
      },
      this.child,
    );
    const permission = new RolePolicyAttachment(
      `${name}-role-policy`,
      {
        role: role.name,
        policyArn: "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
      },
      this.child,
    );
    new Selection(
      `${name}-selection`,
      { name: settings.vault, planId: plan.id, iamRoleArn: role.arn, resources },
      this.after(permission),
    );
  }
}
