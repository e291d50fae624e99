# The command scvi: docker build -t scvi . && docker run --rm -v "$PWD:/data" scvi train counts.h5ad --model model
FROM rust:1.89-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked -p scvi-cli

FROM debian:bookworm-slim
COPY --from=build /source/target/release/scvi /usr/local/bin/scvi
COPY --from=build /source/LICENSE-MIT /source/LICENSE-APACHE /usr/share/doc/scvi/
WORKDIR /data
ENTRYPOINT ["scvi"]
CMD ["--help"]
