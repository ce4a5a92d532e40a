# syntax=docker/dockerfile:1
# The gateway in an image without a shell, a package manager or root.
#
#   docker build --build-arg OSTIA_COMMIT=$(git rev-parse --short=12 HEAD) -t ostia .
#   docker run --rm --read-only --cap-drop ALL -p 127.0.0.1:8787:8787 -e OSTIA_KEY -e OPENAI_API_KEY \
#     -v ./ostia.yaml:/etc/ostia/ostia.yaml:ro ostia

FROM rust:1.95-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# What `ostia --version` says: the image has no .git.
ARG OSTIA_COMMIT=unknown
ENV OSTIA_COMMIT=$OSTIA_COMMIT
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --package ostia \
 && strip --strip-all --remove-section=.comment -o /ostia target/dist/ostia

# glibc, libgcc and certificates; the user nonroot (65532).
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="ostia" \
      org.opencontainers.image.description="An AI gateway: one door in front of every model" \
      org.opencontainers.image.source="https://github.com/ostia-ai/ostia" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /ostia /usr/bin/ostia
COPY LICENSE /usr/share/doc/ostia/LICENSE
USER 65532:65532
WORKDIR /etc/ostia
# In a container the gateway listens for others, and so asks for auth.keys in /etc/ostia/ostia.yaml.
ENV OSTIA_LISTEN=0.0.0.0:8787
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/bin/ostia", "health"]
ENTRYPOINT ["/usr/bin/ostia"]
CMD ["serve"]
