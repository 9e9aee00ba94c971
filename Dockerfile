# One image for web, worker and beat; docker-compose.yml says which is which.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements.txt requirements-video.txt requirements-saml.txt requirements-data.txt constraints.txt ./
ARG SAML=0
RUN pip install -c constraints.txt -r requirements.txt -r requirements-video.txt \
        $(test "$SAML" = 1 && echo "-r requirements-saml.txt") \
    && pip install --no-deps -r requirements-data.txt

RUN useradd --uid 1000 --create-home museum && install -d -o museum /data
COPY . .
RUN python -m dam.javascript
USER museum

ENV DATA_DIR=/data
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "1", \
     "--blocking-threads", "8", "--workers-kill-timeout", "8", "--no-ws", "dam.wsgi:application"]
