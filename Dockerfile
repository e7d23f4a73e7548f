FROM python:3.11-slim AS wheels
COPY requirements.txt .
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data ENV=production PORT=8000
RUN useradd --uid 10001 --create-home fund && mkdir /data && chown fund /data
COPY --from=wheels /venv /venv
WORKDIR /app
COPY . .
# Throw-away embedded settings: collecting static files needs neither the database nor a secret of the site.
RUN ENV=embedded DATA_DIR=/tmp/build python manage.py collectstatic --noinput -v 0 && rm -rf /tmp/build \
 && python -m compileall -q /venv/lib /app
USER fund
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s CMD ["python", "-m", "config.probe"]
CMD ["sh", "-c", "exec gunicorn config.wsgi:application --bind 0.0.0.0:$PORT --worker-class gthread --workers ${WEB_WORKERS:-2} --threads ${WEB_THREADS:-4} --timeout 120 --graceful-timeout 30 --max-requests 5000 --max-requests-jitter 500 --no-control-socket --worker-tmp-dir /dev/shm --access-logfile /dev/null"]
