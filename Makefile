# Lacuna's commands. `make demo` and `make test` need nothing but a Swift toolchain: scripts/setup fetches the rest.
# Everything is built once, in release: the kernels' tests need it, and the demo and the tests share the products.
# That is why the tests do without testable imports, which would rebuild everything with other flags.

SWIFT ?= swift
PREFIX ?= /usr/local
SHAPE ?= llama-2-7b
FLAGS := -c release
LACUNA := .build/release/lacuna
SOURCES := Package.swift Sources Tests

.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench install uninstall format lint clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install what a build needs besides Swift (apt, with sudo when needed)
	@SWIFT="$(SWIFT)" scripts/setup

build: setup ## build the lacuna command in release
	@$(SWIFT) build $(FLAGS) --product lacuna

demo: build ## three tiny models, one forgotten question, side by side
	@$(LACUNA) run share/lacuna/demo.lua

test: setup ## build and run every test
	@$(SWIFT) test $(FLAGS) --disable-testable-imports --disable-xctest

bench: build ## every speed beside its limit on this machine (SHAPE=tiny for a quick one)
	@$(LACUNA) bench --shape $(SHAPE)

install: build ## copy the command, the models and the plugins under PREFIX (/usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/lacuna"
	install -m 755 $(LACUNA) "$(DESTDIR)$(PREFIX)/bin/lacuna"
	cp -R share/lacuna/. "$(DESTDIR)$(PREFIX)/share/lacuna/"
	if [ -d plugins ]; then cp -R plugins "$(DESTDIR)$(PREFIX)/share/lacuna/"; fi

uninstall: ## remove what install copied
	rm -rf "$(DESTDIR)$(PREFIX)/bin/lacuna" "$(DESTDIR)$(PREFIX)/share/lacuna"

format: ## rewrite the sources in the project's format
	@$(SWIFT) format --in-place --recursive $(SOURCES)

lint: ## check format and layers, as CI does
	@$(SWIFT) format lint --strict --recursive $(SOURCES)
	@SWIFT="$(SWIFT)" scripts/check-layers

clean: ## remove build products
	rm -rf .build
