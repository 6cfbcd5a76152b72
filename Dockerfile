# Coursette in a container: no data inside, everything of yours in /data.
#   docker build -t coursette .
#   docker run --rm -it -p 127.0.0.1:8001:8001 -v "$PWD:/data" coursette                    (serve)
#   docker run --rm -it -v "$PWD:/data" coursette load logs.csv --timezone Australia/Brisbane
# On Linux, add --user "$(id -u):$(id -g)" where your own id is not 1000, so that /data can be written.
# Publish the port on 127.0.0.1 as above: `-p 8001:8001` alone would open it to the network.

# An exact version; whoever mirrors the image may add its digest (FROM python:...@sha256:...).
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/coursette \
    && /opt/coursette/bin/python -m pip install --require-hashes -r requirements.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/python -m pip install --require-hashes -r requirements-build.lock
COPY . .
RUN /opt/build/bin/hatchling build --target wheel --directory /wheel \
    && /opt/coursette/bin/python -m pip install --no-deps --no-index /wheel/*.whl

FROM ${PYTHON}
COPY --from=build /opt/coursette /opt/coursette
RUN useradd --uid 1000 --home-dir /data --shell /usr/sbin/nologin coursette \
    && install --directory --owner=coursette --group=coursette --mode=0700 /data /data/private
ENV PATH=/opt/coursette/bin:$PATH \
    HOME=/data \
    COURSETTE_DB=/data/moodle.db \
    PYTHONUNBUFFERED=1
USER 1000
WORKDIR /data
VOLUME /data
EXPOSE 8001
# Answers without signing in, and without data.
HEALTHCHECK --start-period=20s --interval=30s --timeout=5s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8001/-/health', timeout=4)"]
ENTRYPOINT ["coursette"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8001"]
