/** What pages of other origins may do with a bucket. */
interface CorsRule {
  readonly id: string;
  readonly origins: string[];
  readonly methods: string[];
  readonly headers: string[];
  readonly exposeHeaders: string[];
  readonly maxAgeSeconds: number;
}

/**
 * Lets pages of these origins read and upload objects by signed URLs; who may do what, the signature says. Headers are
 * named one by one, because R2 takes no asterisk there. `ETag` is what an upload in parts is put together by.
 */
export function corsRule(origins: readonly string[]): CorsRule {
  return {
    id: "pages",
    origins: [...origins],
    methods: ["GET", "HEAD", "PUT", "POST"],
    headers: ["content-type", "content-md5"],
    exposeHeaders: ["ETag"],
    maxAgeSeconds: 3600,
  };
}
