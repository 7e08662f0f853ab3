# The verbs of the guide. Each is `python -m jobs.VERB`; ARGS="key=value ..." is handed on, CONFIG=FILE names a configuration.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
STAMP := $(VENV)/.installed
CONFIG_FLAG = $(if $(CONFIG),--config $(CONFIG),)
# Extra arguments for installing torch, such as the index of CPU builds (see README).
TORCH_ARGS ?=

DATA := ingest ocr transcribe align back-translate format data-stats tokenizer-analysis
VERBS := download-model $(DATA) speech-train tokenizer-extend train tune eval review export-gguf serve demo status check-gpu quickstart

.PHONY: help install $(VERBS) test test-all reference check lint fast-tests

help: ## list every verb
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  Settings: make VERB CONFIG=file.yaml ARGS="root=workspaces/mine key=value"'

install: $(STAMP) ## make .venv with every pinned package; system packages where that is allowed

$(STAMP): pyproject.toml constraints.txt deploy/system_packages.sh
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Seshat needs Python 3.11 or newer: make install PYTHON=python3.12"; exit 1; }
	@PYTHON=$(PYTHON) deploy/system_packages.sh --with-browser
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages (some minutes, about 4 GB) ..."
	@$(BIN)/python -m pip install -q $(TORCH_ARGS) -c constraints.txt torch
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,notebook]'
	@$(BIN)/python -m pip install -q -c constraints.txt setuptools wheel ninja py-cpuinfo hjson msgpack
	@DS_BUILD_OPS=0 $(BIN)/python -m pip install -q --no-build-isolation -c constraints.txt -e '.[deepspeed]'
	@touch $@

download-model: $(STAMP) ## fetch or link the base model (Qwen3-14B by default; says how large first)
ingest: $(STAMP) ## read dictionaries, transcriptions and translations from data/raw
ocr: $(STAMP) ## read scanned pages (optional)
transcribe: $(STAMP) ## transcribe recordings (optional)
speech-train: $(STAMP) ## teach a Whisper the language from recordings with transcripts (optional): ARGS="speech.model=FOLDER"
align: $(STAMP) ## align parallel documents into sentence pairs, and clean them
back-translate: $(STAMP) ## translate text that nobody has, to train on what is good (optional): ARGS="back_translate.engine=phrases"
format: $(STAMP) ## write data/training/{train,val,test}.jsonl
data-stats: $(STAMP) ## count and describe the training data
tokenizer-analysis: $(STAMP) ## how well the base model's tokenizer fits the language
tokenizer-extend: $(STAMP) ## add tokens for the language to the base model (optional): ARGS="extend.tokens=500"
train: $(STAMP) ## fine-tune: make train CONFIG=configs/training/qlora_qwen3_14b.yaml
tune: $(STAMP) ## search hyperparameters with Ray Tune
eval: $(STAMP) ## score on the held-out test set and write the report
review: $(STAMP) ## write a sheet for speakers and linguists; with ARGS=--read, read the filled ones
export-gguf: $(STAMP) ## merge the adapter and write GGUF files
serve: $(STAMP) ## answer translations over HTTP on 127.0.0.1:8000
demo: $(STAMP) ## open the translation page
status: $(STAMP) ## how far the workspace is: done, stale and why, failed; and the next command
check-gpu: $(STAMP) ## is a GPU there, and does torch use it
quickstart: $(STAMP) ## the whole way on the embedded sample language, in minutes

module = $(subst -,_,$(patsubst eval,evaluate,$(patsubst quickstart,pipeline,$(1))))
$(VERBS):
	@$(RUN) jobs.$(call module,$@) $(if $(filter quickstart,$@),--config configs/quickstart.yaml,$(CONFIG_FLAG)) $(ARGS)

test: $(STAMP) ## all tests but the slow ones
	@$(BIN)/python -m pytest -m "not slow"

test-all: $(STAMP) ## all tests
	@$(BIN)/python -m pytest

reference: $(STAMP) ## the Python interface, from its docstrings: build/reference/index.html
	@$(BIN)/pdoc --docformat google --no-search --no-show-source --output-directory $(REFERENCE) ./seshat ./serve ./jobs $(READERS)

REFERENCE ?= build/reference
# The package says what of it others may import, and pdoc would show no more.
READERS = $(subst /,.,$(basename $(wildcard seshat/data/readers/[a-z]*.py)))

check: lint fast-tests ## format, lint, types, import contracts, fast tests

lint: $(STAMP)
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

fast-tests: $(STAMP)
	@$(BIN)/python -m pytest -m "not heavy and not slow and not ray and not browser and not gpu"
