# The hosted app: torch for the CPU, models inside, not as root.
#
#   docker build -t playground . && docker run --rm -p 8501:8501 -v playground:/data playground
#
# tests/e2e/test_image.py runs these lines in a clean folder.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 playground && mkdir /data && chown playground /data
WORKDIR /app

# Torch alone first: the other index has its CUDA build, which is many times as large.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.txt ./
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)"
RUN pip install --no-cache-dir -r requirements.txt

COPY . ./
# The server may not write into its own folder: what it would put there at its start is put there now.
RUN python -c "from ui.static_files import publish_plotly; raise SystemExit(not publish_plotly())"

ENV PLAYGROUND_CACHE=/data/cache PLAYGROUND_RUNS=/data/runs
USER playground
# Beside those in assets/models. Nothing is downloaded later unless a visitor asks for it (`downloads` in playground.toml).
ARG MODELS="smollm2-135m all-minilm-l6-v2"
RUN for model in $MODELS; do python -m playground fetch "$model"; done

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD python -c "import os, urllib.request as request; base = os.environ.get('STREAMLIT_SERVER_BASE_URL_PATH', ''); request.urlopen(f'http://127.0.0.1:8501/{base}/_stcore/health'.replace('//_', '/_'), timeout=4)"
CMD ["python", "-m", "streamlit", "run", "asgi.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
