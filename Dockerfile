# dilt with the versions of requirements.lock: `make image`, then docs/container.md. One image for CPUs and GPUs: PyTorch
# comes with CUDA's libraries (7 GB in all), and the host adds NVIDIA's driver (docker run --gpus all).
FROM python:3.12-slim-bookworm

# Passes signals on to all processes, as a terminal does.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*

# It reads versions and hashes from the lock.
RUN pip install --no-cache-dir "uv==0.13.*"

# Only an edit of these two installs the libraries anew. Bytecode is compiled once, as nobody may write it later.
WORKDIR /opt/dilt
COPY pyproject.toml requirements.lock ./
RUN uv pip install --system --no-cache --compile-bytecode --constraint requirements.lock --requirement pyproject.toml

COPY README.md LICENSE Snakefile config.yaml environment.yml ./
COPY workflow workflow
COPY dilt dilt
COPY snakemake_logger_plugin_dilt snakemake_logger_plugin_dilt
RUN uv pip install --system --no-cache --compile-bytecode --no-deps --build-constraint requirements.lock .

# Whoever runs it (docker run --user) may write the caches of pretrained weights, data sets, compiled networks and fonts:
# mount a volume there to keep them.
RUN useradd --uid 1000 --home-dir /cache --no-create-home dilt && mkdir -m 1777 /cache && mkdir -m 1777 /work
ENV HOME=/cache USER=dilt LOGNAME=dilt XDG_CACHE_HOME=/cache MPLCONFIGDIR=/cache/matplotlib TORCHINDUCTOR_CACHE_DIR=/cache/inductor
USER 1000
WORKDIR /work

# As Ctrl-C: jobs save and end.
STOPSIGNAL SIGINT
ENTRYPOINT ["tini", "-g", "--"]
CMD ["dilt", "--help"]
