export GOCACHE=$PWD/cache GOPATH=$PWD/path GOFLAGS=-mod=mod GOTOOLCHAIN=local GO111MODULE=off CGO_ENABLED=0 GOTELEMETRY=off
go build -o program main.go
./program
GOMAXPROCS=1 ./program
