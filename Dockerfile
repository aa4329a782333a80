# syntax=docker/dockerfile:1
# docker build -t nats-s3 .
#
# The gateway as one JavaScript file, on a Deno image without a shell or a package manager. It needs no network to
# start, writes nothing (--read-only), and has only --allow-net and --allow-env. Pass secrets as text in variables
# (NATS_S3_CREDENTIALS, NATS_S3_NATS_CREDS, NATS_S3_NATS_TLS_CA …), not as files.
ARG DENO_VERSION=2.9.6

# JavaScript is the same on every architecture, so it is built once, on the build machine's own architecture.
FROM --platform=$BUILDPLATFORM docker.io/denoland/deno:${DENO_VERSION} AS build
WORKDIR /build
COPY deno.json deno.lock main.ts ./
COPY src src
RUN deno install --quiet --frozen --entrypoint main.ts \
  && deno bundle --quiet --output /nats-s3.js main.ts

FROM docker.io/denoland/deno:distroless-${DENO_VERSION}
LABEL org.opencontainers.image.title="nats-s3" \
      org.opencontainers.image.description="An S3 server on NATS JetStream" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
COPY --from=build --chmod=444 /nats-s3.js /app/nats-s3.js
# An unprivileged user, given by number because Kubernetes needs one to check runAsNonRoot.
USER 65532:65532
# 5222 serves S3. 5223 serves /livez, /readyz and /metrics if NATS_S3_ADMIN_LISTEN is 0.0.0.0:5223.
EXPOSE 5222 5223
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
  CMD ["/bin/deno", "run", "--no-prompt", "--cached-only", "--allow-net", "--allow-env", "/app/nats-s3.js", "health"]
# There is no shell in between, so signals reach the gateway. The two unstable features are those of deno.json.
ENTRYPOINT ["/bin/deno", "run", "--no-prompt", "--cached-only", "--no-code-cache", "--unstable-net", "--unstable-no-legacy-abort", "--allow-net", "--allow-env", "/app/nats-s3.js"]
CMD ["serve"]
