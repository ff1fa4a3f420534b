# Two-liners over snakemake, which stays the interface: .venv/bin/snakemake --profile profiles/local ...
SNAKEMAKE := .venv/bin/snakemake --profile profiles/local
RULE_ENVIRONMENTS := pwscf tblite analysis nequip
# Where there is no conda, tools/venv-conda stands in for it; appended, so that a real one wins.
export PATH := $(PATH):$(CURDIR)/tools/venv-conda
# The profile's place of the environments follows PWD, which `make -C` leaves at the caller's folder.
export PWD := $(CURDIR)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup environments demo campaign rulegraph test test-slurm conformance validation calibration offline-bundle offline-install container progress trace verify-crate redraw replay doctor lint clean clean-environments

help:  ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 27

setup: .venv/.complete  ## the workflow's own environment, .venv, so that .venv/bin/snakemake works by itself

.venv/.complete: envs/workflow.yaml
	rm -rf .venv
	python3 tools/venv-conda/conda env create --file envs/workflow.yaml --prefix .venv
	touch $@

environments: .snakemake/conda/.complete  ## the rules' environments, below .snakemake/conda

# Snakemake makes environments one after another, each mostly on one core; here they are made side by side.
.snakemake/conda/.complete: .venv/.complete $(RULE_ENVIRONMENTS:%=envs/%.yaml)
	printf '%s\n' $(RULE_ENVIRONMENTS) | xargs -P 3 -I NAME \
		$(SNAKEMAKE) --snakefile tests/Snakefile --conda-create-envs-only --quiet host -- NAME
	touch $@

# A SIGKILL leaves Snakemake's own lock behind. The mark says that it was a demo's, and flock that no other demo runs.
demo: environments  ## the quickstart campaign, from config to figures and a report
	@flock --nonblock --close --conflict-exit-code 75 .snakemake/demo.lock \
		$(MAKE) --no-print-directory campaign results/report.html || \
		{ code=$$?; [ $$code -ne 75 ] || echo "another make demo is at work in this checkout"; exit $$code; }
	@echo "The campaign is complete:"; ls -1 $(CURDIR)/results/reduce/*/figures/*.svg $(CURDIR)/results/report.html

campaign:
	test ! -e .snakemake/demo.runs || $(SNAKEMAKE) --configfile config/quickstart.yaml --quiet host --unlock
	touch .snakemake/demo.runs
	$(SNAKEMAKE) --configfile config/quickstart.yaml --quiet host reason
	rm .snakemake/demo.runs

# The audit is what a campaign writes last.
results/report.html: $(wildcard results/audit/*.html results/*/*/*.html results/reduce/*/figures/*.svg report/*)
	$(SNAKEMAKE) --configfile config/quickstart.yaml --quiet host --report $@

rulegraph: setup  ## the pipeline picture of README.md, from the rules
	$(SNAKEMAKE) --configfile config/quickstart.yaml --rulegraph mermaid-js | .venv/bin/python tools/rulegraph.py README.md

# tests/Snakefile says which tests run in which environment.
test: environments  ## the tests
	$(SNAKEMAKE) --snakefile tests/Snakefile --cores 1 --quiet host rules progress -- workflow $(RULE_ENVIRONMENTS) validation

# Root on Debian; the tests say what else is missing.
test-slurm: environments  ## the tests on a SLURM cluster of their own, which they bring up and end (15 minutes)
	tests/packages
	.venv/bin/python -m pytest tests/slurm

conformance: setup  ## the conformance tests of the potentials whose environments `make test` does not make
	$(SNAKEMAKE) --snakefile tests/Snakefile --cores 1 --quiet host rules progress -- deepmd mace schnetpack torchani

validation: setup  ## an archive before roc-validator, reduced data before compliance-checker
	$(SNAKEMAKE) --snakefile tests/Snakefile --cores 1 --quiet host rules progress -- validation

calibration: setup  ## docs/calibration.md: the error bars against known truths, and other programs (20 minutes on two cores)
	$(SNAKEMAKE) --snakefile tests/Snakefile --quiet host rules progress -- calibration

# The rules' environments that a campaign takes along to another machine (docs/cluster.md).
ENVIRONMENTS := pwscf analysis nequip

offline-bundle:  ## build/thermoweave-offline.tar for a machine without a package index (ENVIRONMENTS="pwscf analysis mace")
	python3 tools/offline_bundle.py make build/thermoweave-offline.tar $(ENVIRONMENTS)

offline-install:  ## in an unpacked bundle: the environments, without an index
	python3 tools/offline_bundle.py install

container: setup  ## build/environments.def: one image with the rules' environments, for apptainer
	mkdir -p build
	$(SNAKEMAKE) --snakefile tools/environments.smk --config environments="$(ENVIRONMENTS)" --quiet host \
		--containerize apptainer > build/environments.def.part
	mv build/environments.def.part build/environments.def
	@echo "Now, in this folder: apptainer build build/environments.sif build/environments.def"

progress:  ## the whole sweep in one screen (CAMPAIGN=campaigns/NAME)
	@python3 tools/progress.py $(CAMPAIGN)

trace:  ## the way back from a point: make trace POINT="arrhenius concentration=0.25 temperature=1000" (CAMPAIGN=...)
	@python3 tools/trace.py --campaign $(or $(CAMPAIGN),.) $(POINT)

verify-crate:  ## every hash of an archive, and its trajectories reduced again (CRATE=NAME.crate.zip)
	@python3 tools/crate.py verify --reductions $(CRATE) $(OPTIONS)

redraw:  ## every figure and table of an archive again, and whether they are equal (CRATE=NAME.crate.zip)
	@python3 tools/crate.py redraw $(CRATE) $(OPTIONS)

replay:  ## a small version of an archive's campaign, from its config and locks (CRATE=NAME.crate.zip)
	@python3 tools/crate.py replay $(CRATE) $(OPTIONS)

doctor:  ## what this machine has, and what each missing thing would give
	@python3 tools/doctor.py

lint: setup  ## all linters
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/snakefmt --check Snakefile rules tests/Snakefile tools/environments.smk tools/redraw.smk
	$(SNAKEMAKE) --configfile config/quickstart.yaml --lint
	$(SNAKEMAKE) --configfile config/quickstart.yaml --rulegraph mermaid-js | .venv/bin/python tools/rulegraph.py README.md --check

clean:  ## remove what the run made: results/ and snakemake's records of it; the environments stay
	rm -rf results
	if [ -d .snakemake ]; then find .snakemake -mindepth 1 -maxdepth 1 ! -name conda -exec rm -rf {} +; fi

clean-environments:  ## remove .venv and the rules' environments
	rm -rf .venv .snakemake/conda
